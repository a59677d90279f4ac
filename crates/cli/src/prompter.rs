use std::io::{self, BufRead as _, Write as _};

use runtime_testing::{PromptError, Prompter, Question};

/// Asks on standard error and reads answers, a line each, from standard input.
pub(crate) struct TerminalPrompter;

impl Prompter for TerminalPrompter {
    fn ask(&mut self, question: &Question) -> Result<String, PromptError> {
        let mut stderr = io::stderr().lock();
        let default = question.default.as_ref().map_or_else(String::new, |default| format!(" [{default}]"));
        write!(stderr, "{}{default}: ", question.text)
            .and_then(|()| stderr.flush())
            .map_err(PromptError::Io)?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer).map_err(PromptError::Io)? == 0 {
            // The line of the question is still open.
            writeln!(stderr).map_err(PromptError::Io)?;
            return Err(PromptError::Canceled);
        }
        Ok(answer.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn tell(&mut self, message: &str) {
        crate::output::say(message);
    }
}
