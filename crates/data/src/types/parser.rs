use arrow::datatypes::TimeUnit;

use super::logical::TypeWords;

/// How deep types may be nested in a text.
const MAX_DEPTH: usize = 256;

/// The type that a text writes in words, if it does.
pub(crate) fn parse(text: &str) -> Option<TypeWords> {
    let mut parser = Parser { rest: text };
    parser.words(0).filter(|_| parser.rest.is_empty())
}

/// Reads words from the front of a text; none where they are not what is wanted.
struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn words(&mut self, depth: usize) -> Option<TypeWords> {
        if depth > MAX_DEPTH {
            return None;
        }
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric())?;
        Some(match name {
            "null" => TypeWords::Null,
            "boolean" => TypeWords::Boolean,
            "int8" => TypeWords::Int(8),
            "int16" => TypeWords::Int(16),
            "int32" => TypeWords::Int(32),
            "int64" => TypeWords::Int(64),
            "uint8" => TypeWords::Uint(8),
            "uint16" => TypeWords::Uint(16),
            "uint32" => TypeWords::Uint(32),
            "uint64" => TypeWords::Uint(64),
            "float16" => TypeWords::Float(16),
            "float32" => TypeWords::Float(32),
            "float64" => TypeWords::Float(64),
            "text" => TypeWords::Text,
            "binary" => TypeWords::Binary,
            "date" => TypeWords::Date,
            "interval" => TypeWords::Interval,
            "mixed" => TypeWords::Mixed,
            "decimal" => {
                let (precision, scale) = self.between("(", ")")?.split_once(',')?;
                TypeWords::Decimal(precision.parse().ok()?, scale.parse().ok()?)
            }
            "time" => TypeWords::Time(unit(self.between("[", "]")?)?),
            "duration" => TypeWords::Duration(unit(self.between("[", "]")?)?),
            "timestamp" => {
                let inside = self.between("[", "]")?;
                match inside.split_once(", ") {
                    Some((name, zone)) => TypeWords::Timestamp(unit(name)?, Some(zone.to_owned())),
                    None => TypeWords::Timestamp(unit(inside)?, None),
                }
            }
            "list" => {
                self.take("<")?;
                let item = self.words(depth + 1)?;
                self.take(">")?;
                TypeWords::List(Box::new(item))
            }
            "map" => {
                self.take("<")?;
                let key = self.words(depth + 1)?;
                self.take(", ")?;
                let value = self.words(depth + 1)?;
                self.take(">")?;
                TypeWords::Map(Box::new(key), Box::new(value))
            }
            "struct" => {
                self.take("<")?;
                let mut fields = Vec::new();
                while self.take(">").is_none() {
                    if !fields.is_empty() {
                        self.take(", ")?;
                    }
                    let name = self.field_name()?;
                    self.take(": ")?;
                    fields.push((name, self.words(depth + 1)?));
                }
                TypeWords::Struct(fields)
            }
            _ => return None,
        })
    }

    fn field_name(&mut self) -> Option<String> {
        if self.take("\"").is_none() {
            let end = self.rest.find(':')?;
            let (name, rest) = self.rest.split_at(end);
            self.rest = rest;
            return Some(name.to_owned());
        }
        let mut name = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.rest = &self.rest[index + 1..];
                    return Some(name);
                }
                '\\' => name.push(characters.next()?.1),
                other => name.push(other),
            }
        }
        None
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn between(&mut self, open: &str, close: &str) -> Option<&'a str> {
        self.take(open)?;
        let (inside, rest) = self.rest.split_once(close)?;
        self.rest = rest;
        Some(inside)
    }

    fn take_while(&mut self, wanted: impl Fn(&u8) -> bool) -> Option<&'a str> {
        let end = self.rest.bytes().position(|byte| !wanted(&byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        (end > 0).then_some(taken)
    }
}

fn unit(name: &str) -> Option<TimeUnit> {
    Some(match name {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    })
}
