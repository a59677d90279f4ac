//! What is seen of runs beyond what their specs declare, in fresh interpreters and in forks alike.
#![cfg(unix)]

use std::time::Duration;

use runtime_testing_models::{Isolation, MainProblem, Observed, PipelineTestReport, ScriptFailure};
use runtime_testing_tester::TesterSettings;

use crate::space::Space;

const HEAD: &str = "import os\n\ndef main(input_paths, output_paths, environ_vars, job_args):\n";
const WRITE: &str = "    open(output_paths['rows'], 'w').write('id\\n1\\n')\n";

/// A project with one step, which does something and writes its output.
fn space(imports: &str, body: &str) -> Space {
    let content = format!("{imports}\n{HEAD}{body}{WRITE}");
    Space::new().write("data/other.csv", "id\n1\n").write("config/a.json", "{}").step(
        "a",
        &content,
        &["raw=data/raw.csv"],
        &["rows=output/rows.csv"],
    )
}

fn test(space: &Space, isolation: Isolation) -> PipelineTestReport {
    let settings = TesterSettings { isolation, ..space.settings() };
    space.tester().with_settings(settings).test_pipeline().unwrap()
}

/// What is seen, the same in both ways.
#[track_caller]
fn observed(space: &Space) -> Observed {
    let [fresh, forked] = Isolation::ALL.map(|isolation| {
        let report = test(space, isolation);
        report.script_results["a"].runs[0].observed.clone().unwrap_or_default()
    });
    assert_eq!(fresh, forked);
    fresh
}

#[track_caller]
fn check_reads(body: &str, expected: &[&str]) {
    let seen = observed(&space("", body));
    assert_eq!(seen.reads, expected);
    assert!(seen.writes.is_empty() && seen.removes.is_empty(), "{seen:?}");
}

#[test]
fn what_is_declared_is_not_noted() {
    check_reads("    open(input_paths['raw']).read()\n    open('data/raw.csv').read()\n", &[]);
    check_reads("    os.listdir('data')\n    os.listdir('/etc')\n    open('/etc/passwd').close()\n", &[]);
    check_reads("    open(os.__file__).close()\n    open(__file__).close()\n    import decimal\n", &[]);
}

#[test]
fn files_that_are_read_are_noted_by_their_path_in_the_base_folder() {
    let body = "    open('data/other.csv').read()\n    open(b'data/./other.csv').read()\n    \
        open(os.getcwd() + '/config/../config/a.json').read()\n";
    check_reads(body, &["config/a.json", "data/other.csv"]);
}

/// This is how it shows that what another step writes is missing.
#[test]
fn a_file_that_is_looked_for_is_noted() {
    let body = "    try:\n        open('output/stats.csv')\n    except FileNotFoundError:\n        pass\n";
    check_reads(body, &["output/stats.csv"]);
}

#[test]
fn files_of_a_runs_own_are_not_noted() {
    let body = "    import tempfile, shutil, subprocess
    folder = tempfile.mkdtemp()
    open(folder + '/a', 'w').close()
    os.rename(folder + '/a', folder + '/b')
    open(folder + '/b').close()
    shutil.rmtree(folder)
    with tempfile.TemporaryFile() as file:
        file.write(b'x')
    name = tempfile.mktemp()
    os.system('echo x > ' + name)
    open(name).close()
    os.remove(name)
";
    let seen = observed(&space("", body));
    assert_eq!(seen, Observed { programs: vec!["echo".to_owned()], ..Observed::default() });
}

#[test]
fn changes_to_other_files_are_noted() {
    let space = space(
        "",
        "    base = environ_vars['BASE']
    open(base + '/new.txt', 'w').close()
    open(base + '/new.txt').close()
    open(base + '/data/other.csv', 'a').close()
    os.replace(base + '/new.txt', base + '/named.txt')
    os.remove(base + '/named.txt')
    if os.path.exists(base + '/config/a.json'):
        os.remove(base + '/config/a.json')
",
    );
    let base = space.root.clone().into_string();
    let space = space.with(|spec| {
        spec.environ_vars.insert("BASE".to_owned(), base);
    });
    let report = test(&space, Isolation::Forked);
    let seen = report.script_results["a"].runs[0].observed.clone().unwrap();
    assert_eq!(seen.writes, ["data/other.csv", "named.txt", "new.txt"]);
    assert_eq!(seen.removes, ["config/a.json"]);
    assert!(seen.reads.is_empty(), "{seen:?}");
}

#[test]
fn programs_and_addresses_are_noted() {
    let body = "    import platform, socket, subprocess, sys
    platform.platform()
    subprocess.run(['true'])
    subprocess.run('true | cat', shell=True, stdout=subprocess.DEVNULL)
    subprocess.run([sys.executable, '-c', ''])
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        server.listen()
        socket.create_connection(server.getsockname()).close()
    try:
        socket.create_connection(('127.0.0.1', 9), timeout=1)
    except OSError:
        pass
";
    let seen = observed(&space("", body));
    assert_eq!(seen.addresses, ["127.0.0.1:9"]);
    let shells = ["cat", "true"].map(str::to_owned);
    assert!(shells.iter().all(|name| seen.programs.contains(name)) && seen.programs.len() == 3, "{seen:?}");
}

#[test]
fn programs_and_addresses_are_named_by_what_they_are() {
    let body = "    import socket, subprocess
    os.system('cd /tmp && A=1 uname > /dev/null; export A')
    subprocess.run(['sh', '-ec', 'cd /'])
    for host in ['db1', 'ab.invalid', '127.0.0.1', '::1']:
        try:
            socket.getaddrinfo(host, 9)
        except OSError:
            pass
    for path in ['/run/other.sock', 'data/own.sock', environ_vars.get('TMPDIR', '/tmp') + '/own.sock']:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(path)
            except OSError:
                pass
    for connect in [lambda: socket.create_connection(('localhost', 9)), lambda: client.connect(('127.0.0.1', 9))]:
        with socket.socket() as client:
            try:
                connect()
            except OSError:
                pass
";
    let seen = observed(&space("", body));
    assert_eq!(seen.programs, ["sh", "uname"]);
    let sockets = ["unix:/run/other.sock", "unix:data/own.sock"];
    let hosts = ["127.0.0.1:9", "ab.invalid:9", "db1:9", "localhost:9"];
    assert_eq!(seen.addresses, hosts.into_iter().chain(sockets).collect::<Vec<_>>());
}

/// The second test must say what the first one does.
#[test]
fn what_is_written_to_a_new_folder_is_noted_each_time() {
    let body = "    os.makedirs('data/new/folder', exist_ok=True)\n    open('data/new/folder/a.csv', 'w').close()\n    \
        os.makedirs('data/empty', exist_ok=True)\n    open('data/new/folder/a.csv').close()\n";
    let space = space("", body);
    let [first, second] = [(); 2].map(|()| test(&space, Isolation::Forked));
    let [first, second] =
        [first, second].map(|report| report.script_results["a"].runs[0].observed.clone().unwrap());
    assert_eq!(first.writes, ["data/empty", "data/new/folder/a.csv"]);
    assert_eq!(second.writes, ["data/new/folder/a.csv"]);
    assert!(first.reads.is_empty() && second.reads.is_empty(), "{first:?}");
}

#[test]
fn scripts_with_the_names_of_modules_are_observed() {
    for name in ["tokenize", "inspect", "platform", "shutil", "importlib"] {
        let body =
            "    import subprocess\n    open('data/other.csv').close()\n    subprocess.run(['true'])\n";
        let content = format!("{HEAD}{body}{WRITE}");
        let space = Space::new().write("data/other.csv", "").step(
            name,
            &content,
            &["raw=data/raw.csv"],
            &["rows=output/rows.csv"],
        );
        let report = test(&space, Isolation::Fresh);
        let seen = report.script_results[name].runs[0].observed.clone().unwrap_or_default();
        assert_eq!((seen.reads.len(), seen.programs.len()), (1, 1), "{name}: {seen:?}");
    }
    check_reads("    import linecache\n    linecache.getline('data/other.csv', 1)\n", &["data/other.csv"]);
}

#[test]
fn what_the_processes_of_a_run_make_for_each_other_is_not_read() {
    let imports = "import multiprocessing\n\ndef work(path):\n    open(path, 'w').close()\n";
    let body = "    process = multiprocessing.get_context('fork').Process(target=work, args=('data/made.csv',))\n    \
        process.start()\n    process.join()\n    open('data/made.csv').close()\n";
    let seen = observed(&space(imports, body));
    assert_eq!(seen, Observed { writes: vec!["data/made.csv".into()], ..Observed::default() });
}

#[test]
fn databases_are_read_or_written() {
    let make = "    import sqlite3, pathlib
    for name in ['read', 'written', 'opened']:
        path = pathlib.Path(environ_vars['BASE'], 'data', name + '.db')
        if not path.exists():
            database = sqlite3.connect(path)
            database.execute('create table t (x)')
            database.commit()
            database.close()
";
    let use_them = "    import sqlite3
    sqlite3.connect('data/read.db').execute('select * from t').fetchall()
    database = sqlite3.connect('data/written.db')
    database.execute('insert into t values (1)')
    database.commit()
    sqlite3.connect('file:data/opened.db?mode=ro', uri=True).close()
    try:
        sqlite3.connect('file:data/no%6Ee.db?mode=ro', uri=True)
    except sqlite3.OperationalError:
        pass
";
    let maker = space("", make);
    let base = maker.root.clone().into_string();
    let maker = maker.with(|spec| {
        spec.environ_vars.insert("BASE".to_owned(), base);
    });
    let made = test(&maker, Isolation::Fresh).script_results["a"].runs[0].observed.clone().unwrap();
    assert_eq!(made.writes, ["data/opened.db", "data/read.db", "data/written.db"]);
    let user = maker.write("workspace/scripts/a.py", &format!("{HEAD}{use_them}{WRITE}"));
    let seen = observed(&user);
    assert_eq!(seen.reads, ["data/none.db", "data/opened.db", "data/read.db", "data/written.db"]);
    assert_eq!(seen.writes, ["data/written.db"]);
}

#[test]
fn times_and_modes_that_are_set_are_noted() {
    let body = "    os.utime('data/other.csv')\n    os.chmod('config/a.json', 0o644)\n    \
        os.chmod(output_paths['rows'], 0o644) if os.path.exists(output_paths['rows']) else None\n";
    assert_eq!(observed(&space("", body)).writes, ["config/a.json", "data/other.csv"]);
}

/// What a bare name stands for is not said, so no other file may be named.
#[test]
fn names_in_open_folders_are_not_those_of_the_working_directory() {
    let body = "    folder = os.open('data', os.O_RDONLY)\n    os.close(os.open('other.csv', os.O_RDONLY, dir_fd=folder))\n";
    check_reads(body, &[]);
    let missing =
        "    try:\n        os.open('missing.csv', os.O_RDONLY)\n    except OSError:\n        pass\n";
    check_reads(missing, &["missing.csv"]);
}

#[test]
fn what_ends_a_thread_without_the_module_is_noted() {
    let body = "    import _thread, time\n    def work():\n        raise ValueError('bad row 2')\n    \
        _thread.start_new_thread(work, ())\n    time.sleep(0.5)\n";
    let seen = observed(&space("", body));
    let [failure] = &seen.thread_failures[..] else { panic!("{seen:?}") };
    assert_eq!(failure.to_string(), "ValueError: bad row 2 (scripts/a.py:7)");
}

/// Whatever it is raised in: paths that are new each time are looked at by the hook.
#[test]
fn exceptions_of_signal_handlers_reach_the_script() {
    let body = "    import signal
    def late(*_):
        raise TimeoutError
    signal.signal(signal.SIGALRM, late)
    number = 0
    for _ in range(100):
        signal.setitimer(signal.ITIMER_REAL, 0.003)
        try:
            while True:
                number += 1
                try:
                    open(f'data/missing/{number}')
                except FileNotFoundError:
                    pass
        except TimeoutError:
            continue
";
    let space = space("", body).with(|spec| spec.timeout_seconds = Some(20.0));
    let report = test(&space, Isolation::Fresh);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
}

#[test]
fn what_ends_a_thread_is_noted() {
    let body = "    def work():\n        raise ValueError('bad row 2')\n    \
        thread = threading.Thread(target=work)\n    thread.start()\n    thread.join()\n";
    let seen = observed(&space("import threading", body));
    let [failure] = &seen.thread_failures[..] else { panic!("{seen:?}") };
    assert_eq!(failure.to_string(), "ValueError: bad row 2 (scripts/a.py:6)");
    assert!(!failure.traceback.contains("threading.py"), "{}", failure.traceback);
}

#[test]
fn processes_of_a_run_are_seen_too() {
    let imports = "import multiprocessing\n\ndef work(path):\n    open(path).close()\n    os._exit(0)\n";
    let body = "    process = multiprocessing.get_context('fork').Process(target=work, args=('data/other.csv',))\n    \
        process.start()\n    process.join()\n";
    assert_eq!(observed(&space(imports, body)).reads, ["data/other.csv"]);
}

#[test]
fn nothing_is_lost_where_a_run_ends_abruptly() {
    let open = "    open('data/other.csv').close()\n";
    for end in ["    os._exit(3)\n", "    os.kill(os.getpid(), 9)\n"] {
        assert_eq!(observed(&space("", &format!("{open}{end}"))).reads, ["data/other.csv"], "{end}");
    }
    let wait = space("", &format!("{open}    import time\n    time.sleep(600)\n"));
    let wait = wait.with(|spec| spec.timeout_seconds = Some(0.5));
    let settings = TesterSettings { grace: Duration::from_millis(100), ..wait.settings() };
    let report = wait.tester().with_settings(settings).test_pipeline().unwrap();
    assert_eq!(report.script_results["a"].runs[0].observed.clone().unwrap().reads, ["data/other.csv"]);
}

#[test]
fn a_script_sees_nothing_of_it() {
    let body = "    import sys
    assert not [name for name in sys.modules if 'observe' in name]
    descriptors = os.listdir('/proc/self/fd') if os.path.isdir('/proc/self/fd') else []
    calls = []
    sys.setprofile(lambda frame, *_: calls.append(frame.f_code.co_filename))
    open('data/other.csv').close()
    sys.setprofile(None)
    assert not [name for name in calls if 'observe' in name], calls
    if descriptors:
        assert os.listdir('/proc/self/fd') == descriptors

    import signal
    class Late(OSError):
        pass
    def late(*_):
        raise Late
    signal.signal(signal.SIGALRM, late)
    for _ in range(50):
        signal.setitimer(signal.ITIMER_REAL, 0.002)
        try:
            while True:
                os.close(os.open('data/other.csv', os.O_RDONLY))
        except Late:
            continue
";
    let report = test(&space("", body), Isolation::Fresh);
    assert!(report.pipeline_success(), "{}", report.errors().join("\n"));
}

#[track_caller]
fn failure(content: &str) -> ScriptFailure {
    let space = Space::new().step("a", content, &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
    space.fails().status.failure().unwrap().clone()
}

#[test]
fn an_exit_says_what_it_was_raised_in() {
    let body = "    try:\n        {}['key']\n    except Exception:\n        sys.exit(1)\n";
    let ScriptFailure::Exited { status: 1, message: None, cause: Some(cause) } =
        failure(&format!("import sys\n{HEAD}{body}"))
    else {
        panic!("no cause")
    };
    assert_eq!(cause.to_string(), "KeyError: 'key' (scripts/a.py:6)");
    let hidden =
        "    try:\n        {}['key']\n    except Exception:\n        raise SystemExit(1) from None\n";
    let found = failure(&format!("{HEAD}{hidden}"));
    assert!(matches!(found, ScriptFailure::Exited { status: 1, cause: None, .. }), "{found:?}");
}

#[test]
fn what_main_returns_is_the_status_where_the_script_says_so() {
    let exits = |value: &str, end: &str| format!("import sys\n{HEAD}{WRITE}    return {value}\n\n{end}\n");
    let guarded = "if __name__ == '__main__':\n    sys.exit(main(*sys.argv[1:]))";
    let kept =
        "if __name__ == '__main__':\n    status = main({}, {}, {}, None)\n    raise SystemExit(status)";
    let called = "def cli():\n    sys.exit(main({}, {}, {}, None))\n\nif __name__ == '__main__':\n    cli()";
    let bound =
        "if __name__ == '__main__':\n    if (status := main({}, {}, {}, None)):\n        sys.exit(status)";
    let typed =
        "if __name__ == '__main__':\n    status: int = main({}, {}, {}, None)\n    sys.exit(status or 0)";
    let negated = "if __name__ == '__main__':\n    if not main({}, {}, {}, None):\n        sys.exit(1)";
    let chosen = "if __name__ == '__main__':\n    sys.exit(0 if main({}, {}, {}, None) else 2)";
    let cases = [
        ("3", guarded, 3),
        ("3", kept, 3),
        ("3", called, 3),
        ("3", bound, 3),
        ("3", typed, 3),
        ("-1", guarded, 255),
        ("True", guarded, 1),
        ("1.5", guarded, 1),
        ("{'rows': 3}", guarded, 1),
        ("None", negated, 1),
        ("None", chosen, 2),
    ];
    for (value, end, expected) in cases {
        let found = failure(&exits(value, end));
        let ScriptFailure::Exited { status, message: Some(message), .. } = found else {
            panic!("{value}, {end}: {found:?}")
        };
        assert_eq!(status, expected, "{value}, {end}");
        assert!(message.starts_with(&format!("main() returned {value}")), "{message}");
    }
    let found = failure(&exits("'bad rows'", guarded));
    let message = Some("bad rows".to_owned());
    assert_eq!(found, ScriptFailure::Exited { status: 1, message, cause: None });
    let printed = "if __name__ == '__main__':\n    print(main({}, {}, {}, None))";
    let unknown =
        "if __name__ == '__main__':\n    main({}, {}, {}, None)\n    if len(sys.argv) > 9: sys.exit(1)";
    let passing = [
        ("3", printed),
        ("3", unknown),
        ("0", guarded),
        ("False", guarded),
        ("256", guarded),
        ("True", negated),
        ("True", chosen),
    ];
    for (value, end) in passing {
        let space =
            Space::new().step("a", &exits(value, end), &["raw=data/raw.csv"], &["rows=output/rows.csv"]);
        space.passes();
    }
}

#[test]
fn main_that_does_nothing_when_it_is_called_is_told() {
    let problem = |content: &str| match failure(content) {
        ScriptFailure::WrongMain { line: Some(line), problem, .. } => (line, problem),
        other => panic!("{other:?}"),
    };
    let parameters = "input_paths, output_paths, environ_vars, job_args";
    let generator = format!("def main({parameters}):\n    yield 1\n");
    assert_eq!(problem(&generator), (1, MainProblem::Generator));
    // Only running it can tell.
    let wrapped =
        format!("def same(function):\n    return lambda **given: function(**given)\n\n@same\n{generator}");
    assert!(matches!(problem(&wrapped), (4 | 5, MainProblem::Generator)));
    let inner = format!("{HEAD}    def rows():\n        yield 1\n{WRITE}");
    Space::new().step("a", &inner, &["raw=data/raw.csv"], &["rows=output/rows.csv"]).passes();
    assert_eq!(problem(&format!("async {generator}")), (1, MainProblem::AsyncGenerator));
    let parameters_only = ["input_paths", "output_paths"].map(str::to_owned).to_vec();
    let positional = "def main(input_paths, output_paths, /, environ_vars, job_args):\n    pass\n";
    assert_eq!(problem(positional), (1, MainProblem::PositionalOnly { parameters: parameters_only }));
    let click = "class Command:\n    __module__ = 'click.core'\n\n    def __init__(self, callback):\n        \
        self.callback = callback\n\n    def __call__(self):\n        pass\n\n\n@Command\ndef main(raw):\n    pass\n";
    assert!(matches!(problem(click), (11 | 12, MainProblem::ClickCommand)));
}
