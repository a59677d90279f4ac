use camino::Utf8PathBuf;
use runtime_testing::{
    Acceptance, InteractiveError, LoadSpecError, PipelineDag, PipelineTestingSpecBuilder, ScriptDraft,
    ScriptMatch, ScriptRule, SpecFile, StepName, TesterSettings, Validation, draft_from_scripts,
    is_untouched_draft, missing_fields,
};

use crate::Verdict;
use crate::accept::{self, Manner};
use crate::arguments::{SpecsCommand, Workspace};
use crate::bind;
use crate::output;
use crate::pipeline::{check_no_file, check_workspace, read_dag};
use crate::prompter::TerminalPrompter;

pub(crate) fn run(command: SpecsCommand) -> Result<Verdict, String> {
    match command {
        SpecsCommand::List { workspace } => list(&existing(&workspace)?),
        SpecsCommand::Show { step, workspace } => show(&existing(&workspace)?, &step),
        SpecsCommand::Init { file, scripts, python, workspace } => {
            init(&builder(&workspace)?, &file, scripts, python)
        }
        SpecsCommand::Edit { step, workspace } => edit(&builder(&workspace)?, &step),
        SpecsCommand::Bind { file, yes, dry_run, workspace } => {
            bind::run(&file, manner(yes, dry_run), &workspace)
        }
        SpecsCommand::Accept { file, steps, constraints, yes, dry_run, workspace } => {
            let accept = if constraints { Acceptance::with_constraints } else { Acceptance::of };
            accept::run(&file, &steps, accept, manner(yes, dry_run), &workspace)
        }
        SpecsCommand::Check { file, workspace } => check(&existing(&workspace)?, file.as_ref()),
    }
}

fn manner(yes: bool, dry_run: bool) -> Manner {
    match (yes, dry_run) {
        (true, _) => Manner::Write,
        (_, true) => Manner::Show,
        _ => Manner::Ask,
    }
}

/// The specs of a workspace, which need not be there yet.
fn builder(workspace: &Workspace) -> Result<PipelineTestingSpecBuilder, String> {
    let folder = workspace.folder();
    check_no_file(&folder)?;
    Ok(PipelineTestingSpecBuilder::new(folder))
}

/// The specs of a workspace that has to be there if it was named.
fn existing(workspace: &Workspace) -> Result<PipelineTestingSpecBuilder, String> {
    if let Some(named) = workspace.named() {
        check_workspace(named)?;
    }
    builder(workspace)
}

/// A line for each saved spec; broken files are told about and make the command fail.
fn list(builder: &PipelineTestingSpecBuilder) -> Result<Verdict, String> {
    let files = builder.list_saved_specs().map_err(|error| error.to_string())?;
    let mut lines = String::new();
    let mut broken = Vec::new();
    for file in files {
        match file {
            SpecFile::Spec { step_name, script_name, path } => {
                let path = output::harmless(path.as_str());
                lines.push_str(&format!("{step_name}\t{script_name}\t{path}\n"));
            }
            SpecFile::Broken(file) => broken.push(file.to_string()),
        }
    }
    if lines.is_empty() && broken.is_empty() {
        output::say(&format!("no specs are saved in `{}`", builder.specs_dir()));
    } else if !lines.is_empty() {
        output::print(&lines)?;
    }
    if broken.is_empty() { Ok(Verdict::Passed) } else { Err(broken.join("\n")) }
}

fn show(builder: &PipelineTestingSpecBuilder, step: &StepName) -> Result<Verdict, String> {
    let spec = builder.store().load(step).map_err(|error: LoadSpecError| error.to_string())?;
    output::print(&spec.to_json())?;
    Ok(Verdict::Passed)
}

fn init(
    builder: &PipelineTestingSpecBuilder,
    file: &Utf8PathBuf,
    mut folders: Vec<Utf8PathBuf>,
    python: Option<Utf8PathBuf>,
) -> Result<Verdict, String> {
    let dag = read_dag(file)?;
    if dag.is_empty() {
        return Err(format!("{file}: the pipeline has no steps: there is nothing to draft"));
    }
    let index = builder.store().load_all().map_err(|error| error.to_string())?;
    let own = builder.test_data_dir().join("scripts");
    if folders.is_empty() && own.is_dir() {
        folders.push(own);
    }
    let mut settings = TesterSettings::default();
    settings.python = python.unwrap_or(settings.python);
    let drafts = draft_from_scripts(&dag, builder.test_data_dir(), &folders, &settings)
        .map_err(|error| error.to_string())?;
    let had: Vec<bool> = dag.steps().map(|step| index.find(step).is_ok()).collect();
    // What stands in the way is told before anything is written.
    builder.load_from_dag(&dag, Validation::Skipped).map_err(|error| error.to_string())?;
    let new = drafts.iter().zip(&had).filter(|(_, had)| !**had);
    let specs: Vec<_> = new.map(|(draft, _)| draft.spec.clone()).collect();
    builder.store().save_new(&specs).map_err(|error| error.to_string())?;
    for (draft, had) in drafts.iter().zip(had) {
        let step = &draft.spec.step_name;
        let path = builder.store().path_of(step).map_err(|error| error.to_string())?;
        if had {
            output::print(&format!("kept\t{step}\t{}", output::harmless(path.as_str())))?;
            continue;
        }
        let (path, origin) = (output::harmless(path.as_str()), output::harmless(&origin(draft)));
        output::print(&format!("drafted\t{step}\t{path}\t{origin}"))?;
        for remark in &draft.remarks {
            output::say(&output::harmless(&format!("{step}: {remark}")));
        }
    }
    Ok(Verdict::Passed)
}

/// Where a draft comes from.
fn origin(draft: &ScriptDraft) -> String {
    match &draft.script {
        Some(ScriptMatch { path, rule: rule @ ScriptRule::Similar, score, .. }) => {
            format!("from {path}, {rule} ({score:.2})")
        }
        Some(ScriptMatch { path, rule: ScriptRule::Exact, .. }) => format!("from {path}"),
        Some(ScriptMatch { path, rule, .. }) => format!("from {path}, {rule}"),
        None => "no script was found".to_owned(),
    }
}

fn edit(builder: &PipelineTestingSpecBuilder, step: &StepName) -> Result<Verdict, String> {
    if let Err(error @ LoadSpecError::NotFound { nearest: Some(_), .. }) = builder.store().load(step) {
        output::say(&format!("{error}\nthe answers make a new one"));
    }
    match builder.update_script_spec_interactive(step, &mut TerminalPrompter) {
        Ok(_) => {
            let path = builder.store().path_of(step).map_err(|error| error.to_string())?;
            output::print(&format!("saved\t{step}\t{path}"))?;
            Ok(Verdict::Passed)
        }
        Err(InteractiveError::Canceled { .. }) => Err("canceled: nothing was saved".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn check(builder: &PipelineTestingSpecBuilder, file: Option<&Utf8PathBuf>) -> Result<Verdict, String> {
    if let Some(file) = file {
        let dag = read_dag(file)?;
        builder.load_from_dag(&dag, Validation::Required).map_err(|error| error.to_string())?;
        output::print(&match dag.steps().len() {
            1 => "1 step, with a complete spec".to_owned(),
            count => format!("{count} steps, each with a complete spec"),
        })?;
        return Ok(Verdict::Passed);
    }
    let index = builder.store().load_all().map_err(|error| error.to_string())?;
    let mut problems: Vec<String> = index.broken().iter().map(ToString::to_string).collect();
    for (step, claims) in index.duplicates() {
        let paths: Vec<String> = claims.iter().map(|claim| format!("`{}`", claim.path)).collect();
        problems.push(format!("step `{step}` is claimed by several files: {}", paths.join(", ")));
    }
    for saved in index.specs() {
        let missing: Vec<String> = missing_fields(&saved.spec, &PipelineDag::new())
            .iter()
            .map(|field| format!("`{field}`"))
            .collect();
        if !missing.is_empty() {
            problems.push(format!("{}: {} is not filled in", saved.path, missing.join(", ")));
        } else if is_untouched_draft(&saved.spec) {
            problems.push(format!(
                "{}: the default draft was not changed (any `user_notes` accept it)",
                saved.path
            ));
        }
    }
    if problems.is_empty() && index.specs().next().is_none() {
        return Err(format!(
            "no specs are saved in `{}`: draft them with `runtime-testing specs init FILE`",
            builder.specs_dir()
        ));
    }
    if problems.is_empty() {
        output::print(&format!("{} specs, all complete", index.specs().count()))?;
        return Ok(Verdict::Passed);
    }
    Err(problems.join("\n"))
}
