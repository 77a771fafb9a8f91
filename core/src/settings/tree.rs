//! A TOML text as a tree in which every value knows where it stands, and the environment laid
//! over it. Both layers are then read alike by [`super::reader`].

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::problem::{Place, Problem};

/// The names in a table with what they hold.
pub(crate) type Table = BTreeMap<String, Node>;

/// One value and its place. Has no Debug: it may hold a secret.
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Node>),
    Table(Table),
    /// A kind that no key takes, by its name: a float, a date.
    Other(&'static str),
}

impl Value {
    /// The kind in the words of an error: "is a number".
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

/// Byte offsets to lines.
struct Lines<'t> {
    file: &'t str,
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn new(file: &'t str, text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self {
            file,
            text,
            starts: starts.collect(),
        }
    }

    fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    fn place(&self, offset: usize) -> Place {
        Place::line(self.file, self.line(offset))
    }

    fn exact_place(&self, offset: usize) -> Place {
        let line = self.line(offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .copied();
        let column = self
            .text
            .get(start.unwrap_or(0)..offset)
            .map(|text| text.chars().count() + 1);
        Place::File {
            file: self.file.to_owned(),
            line,
            column,
        }
    }
}

/// Reads a TOML text; a syntax error comes back as the one problem, without the line's content,
/// which may be a secret.
pub(crate) fn parse(file: &str, text: &str) -> Result<Table, Problem> {
    let lines = Lines::new(file, text);
    match DeTable::parse(text) {
        Ok(table) => Ok(convert_table(table.get_ref(), &|offset| {
            lines.place(offset)
        })),
        Err(error) => Err(Problem {
            place: lines.exact_place(error.span().map_or(0, |span| span.start)),
            key: String::new(),
            what: format!("this is not valid TOML: {}", error.message()),
            remedy: "Text stands in double quotes, each key on a line of its own.".to_owned(),
        }),
    }
}

/// Reads the text of an environment variable that holds a TOML list or table.
pub(crate) fn parse_variable(place: &Place, text: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    Some(convert(value.get_ref(), &|_| place.clone()))
}

fn convert_table(table: &DeTable<'_>, place: &impl Fn(usize) -> Place) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let node = Node {
                value: convert(value.get_ref(), place),
                place: place(key.span().start),
            };
            (key.get_ref().clone().into_owned(), node)
        })
        .collect()
}

fn convert(value: &DeValue<'_>, place: &impl Fn(usize) -> Place) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Value::Other("a number out of range"), Value::Integer),
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| Node {
                    value: convert(item.get_ref(), place),
                    place: place(item.span().start),
                })
                .collect(),
        ),
        DeValue::Table(table) => Value::Table(convert_table(table, place)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a date or time"),
    }
}

/// Puts the value of an environment variable at `path`, over what the file says. A number in the
/// path is the index, from 0, of an entry of a list of tables; the next free index adds one.
/// Answers false when the path runs through a value that is no table.
pub(crate) fn overlay(table: &mut Table, path: &[&str], name: &str, text: String) -> bool {
    let place = Place::Variable(name.to_owned());
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    if rest.is_empty() {
        table.insert(
            (*first).to_owned(),
            Node {
                value: Value::Text(text),
                place,
            },
        );
        return true;
    }
    let index = rest
        .first()
        .and_then(|segment| segment.parse::<usize>().ok());
    let node = table.entry((*first).to_owned()).or_insert_with(|| Node {
        value: if index.is_some() {
            Value::List(Vec::new())
        } else {
            Value::Table(Table::new())
        },
        place: place.clone(),
    });
    match (&mut node.value, index) {
        (Value::Table(inner), None) => overlay(inner, rest, name, text),
        (Value::List(items), Some(index)) if index <= items.len() => {
            if index == items.len() {
                items.push(Node {
                    value: Value::Table(Table::new()),
                    place,
                });
            }
            match items.get_mut(index).map(|item| &mut item.value) {
                Some(Value::Table(inner)) => overlay(inner, &rest[1..], name, text),
                _ => false,
            }
        }
        _ => false,
    }
}
