use std::collections::VecDeque;
use std::io;

/// Asks a person. The command line has one for terminals; [`ScriptedPrompter`] is for tests.
///
/// ```
/// use runtime_testing_builder::{PromptError, Prompter, Question};
///
/// /// Answers every question with Enter.
/// struct Defaults;
///
/// impl Prompter for Defaults {
///     fn ask(&mut self, _: &Question) -> Result<String, PromptError> {
///         Ok(String::new())
///     }
///
///     fn tell(&mut self, message: &str) {
///         eprintln!("{message}");
///     }
/// }
///
/// assert_eq!(Defaults.ask(&Question::new("a path"))?, "");
/// # Ok::<(), PromptError>(())
/// ```
pub trait Prompter {
    /// Asks one question and returns the answer as it was typed. A blank answer is how the default is chosen; what that
    /// means is settled by whoever asks.
    ///
    /// # Errors
    ///
    /// [`PromptError::Canceled`] for Ctrl-C and for the end of the input.
    fn ask(&mut self, question: &Question) -> Result<String, PromptError>;

    /// Says something that needs no answer, such as why an answer was not good.
    fn tell(&mut self, message: &str);
}

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// The question, without a mark or a line end behind it.
    pub text: String,
    /// What a blank answer stands for; shown in brackets behind the question.
    pub default: Option<String>,
}

impl Question {
    /// A question without a default.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), default: None }
    }

    /// The same question with a default.
    #[must_use]
    pub fn with_default(mut self, default: impl Into<String>) -> Self {
        self.default = Some(default.into());
        self
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The person gave up: Ctrl-C, or the end of the input.
    #[error("canceled")]
    Canceled,
    /// The terminal did not work.
    #[error("cannot ask: {0}")]
    Io(#[from] io::Error),
}

/// A prompter whose answers are given beforehand. When they are used up it cancels.
///
/// ```
/// use runtime_testing_builder::{PromptError, Prompter, Question, ScriptedPrompter};
///
/// let mut prompter = ScriptedPrompter::new(["data/orders.csv"]);
/// assert_eq!(prompter.ask(&Question::new("the path"))?, "data/orders.csv");
/// assert!(matches!(prompter.ask(&Question::new("another")), Err(PromptError::Canceled)));
/// assert_eq!(prompter.asked().len(), 2);
/// # Ok::<(), PromptError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ScriptedPrompter {
    answers: VecDeque<String>,
    asked: Vec<Question>,
    told: Vec<String>,
}

impl ScriptedPrompter {
    /// A prompter that gives these answers, in this order.
    pub fn new<T: Into<String>>(answers: impl IntoIterator<Item = T>) -> Self {
        Self { answers: answers.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The questions so far, those without an answer included.
    pub fn asked(&self) -> &[Question] {
        &self.asked
    }

    /// What was said so far.
    pub fn told(&self) -> &[String] {
        &self.told
    }
}

impl Prompter for ScriptedPrompter {
    fn ask(&mut self, question: &Question) -> Result<String, PromptError> {
        self.asked.push(question.clone());
        self.answers.pop_front().ok_or(PromptError::Canceled)
    }

    fn tell(&mut self, message: &str) {
        self.told.push(message.to_owned());
    }
}
