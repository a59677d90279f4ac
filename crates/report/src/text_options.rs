/// How text is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TextOptions {
    /// Whether to use color. Without it the text has no escape sequences.
    pub color: bool,
    /// How wide the lines may be. Longer ones go on in the next line; a single word that is longer is broken. None leaves
    /// that to whoever shows the text.
    pub width: Option<usize>,
    /// Whether to write characters beyond ASCII as escapes.
    pub ascii: bool,
}
