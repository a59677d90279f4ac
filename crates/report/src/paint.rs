use anstyle::{AnsiColor, Style};
use runtime_testing_models::dag::text;

/// Writes text with or without color.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) color: bool,
}

/// What a piece of text means, which decides its color.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    Odd,
    Quiet,
    Strong,
}

impl Paint {
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.color || tone == Tone::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Good => Style::new().fg_color(Some(AnsiColor::Green.into())).bold(),
            Tone::Bad => Style::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            Tone::Odd => Style::new().fg_color(Some(AnsiColor::Yellow.into())),
            Tone::Quiet => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }
}

/// Text of others as it may safely be shown. Its lines stay.
pub(crate) fn harmless(text: &str) -> String {
    text::lines(text)
}

/// What a script printed as it may safely be shown, without the escape sequences for color, which many tools print.
pub(crate) fn printed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '\u{1b}' || rest.next_if_eq(&'[').is_none() {
            plain.push(character);
            continue;
        }
        // Parameters and intermediates, then one final letter.
        while rest.next_if(|next| ('\u{20}'..='\u{3f}').contains(next)).is_some() {}
        rest.next_if(|next| ('\u{40}'..='\u{7e}').contains(next));
    }
    harmless(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_driven_by_a_script() {
        assert_eq!(printed("\u{1b}[31mred\u{1b}[0m\r\n"), "red\n");
        assert_eq!(printed("a\u{1b}]0;title\u{7}b\0"), "a\\u{1b}]0;title\\u{7}b\\u{0}");
        assert_eq!(printed("progress 1\rprogress 2"), "progress 1\\rprogress 2");
        assert_eq!(printed("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(printed("plain\tÄ日"), "plain\tÄ日");
        assert_eq!(harmless("\u{1b}[31mred"), "\\u{1b}[31mred");
    }
}
