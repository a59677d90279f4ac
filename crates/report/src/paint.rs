use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

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

/// Text of a script as a terminal may safely show it: control characters, which could move the cursor or change its
/// colors, are written as escapes; the escape sequences for color, which many tools print, are left out.
pub(crate) fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' | '\t' => shown.push(character),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\u{1b}' if rest.peek() == Some(&'[') => {
                rest.next();
                // Parameters and intermediates, then one final letter.
                while rest.next_if(|next| ('\u{20}'..='\u{3f}').contains(next)).is_some() {}
                rest.next_if(|next| ('\u{40}'..='\u{7e}').contains(next));
            }
            // Also what changes the direction of the text around it.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                write!(shown, "\\u{{{:x}}}", u32::from(character))
                    .expect("writing to a string does not fail");
            }
            control if control.is_control() => {
                write!(shown, "\\x{:02x}", u32::from(control)).expect("writing to a string does not fail");
            }
            plain => shown.push(plain),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_terminal_cannot_be_driven_by_a_script() {
        assert_eq!(harmless("\u{1b}[31mred\u{1b}[0m\r\n"), "red\n");
        assert_eq!(harmless("a\u{1b}]0;title\u{7}b\0"), "a\\x1b]0;title\\x07b\\x00");
        assert_eq!(harmless("progress 1\rprogress 2"), "progress 1\\x0dprogress 2");
        assert_eq!(harmless("\u{202e}txt.exe"), "\\u{202e}txt.exe");
        assert_eq!(harmless("plain\tÄ日"), "plain\tÄ日");
    }
}
