//! What a value looks like to somebody who does not know its type.

use std::{borrow::Cow, ops::Deref};

use jiff::Timestamp;

use super::Readings;
use crate::{
    Bits, Bytes, BytesPerSecond, Celsius, FramesPerSecond, Joules, Label, Megabits, Megahertz, Microseconds,
    PciBusId, Percent, PerformanceState, Revolutions, Seconds, ThrottleReasons, Watts,
};

/// A value as it is shown.
pub enum Shown<'a> {
    /// There is nothing, and that is the answer.
    Nothing,
    /// A number.
    Float(f64),
    /// A whole number.
    Integer(i128),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(Cow<'a, str>),
    /// A time.
    Time(Timestamp),
    /// Several texts.
    Texts(Vec<Cow<'a, str>>),
    /// Several whole numbers.
    Integers(Vec<u64>),
    /// Readings below this one.
    Part(Below<'a>),
    /// A list of such.
    Parts(Vec<Below<'a>>),
}

/// Readings below others: as they are kept, or made to be shown.
pub enum Below<'a> {
    /// As they are kept.
    Kept(&'a (dyn Readings + 'static)),
    /// Made to be shown.
    Made(Box<dyn Readings>),
}

impl Deref for Below<'_> {
    type Target = dyn Readings;

    fn deref(&self) -> &(dyn Readings + 'static) {
        match self {
            Self::Kept(readings) => *readings,
            Self::Made(readings) => readings.as_ref(),
        }
    }
}

/// The type of a value in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A text.
    Text,
    /// A point in time, RFC 3339 in UTC.
    Time,
    /// A list of texts.
    Texts,
    /// A list of whole numbers.
    Integers,
    /// A list of objects.
    List,
}

impl Shape {
    /// The name used in the reference.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Time => "time",
            Self::Texts => "list of texts",
            Self::Integers => "list of integers",
            Self::List => "list of objects",
        }
    }
}

/// Declares the units with the ending that their keys have.
macro_rules! units {
    ($($(#[$doc:meta])* $name:ident $ending:literal $text:literal;)*) => {
        /// The unit of a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Unit { $($(#[$doc])* $name,)* }

        impl Unit {
            /// How keys of this unit end.
            pub fn ending(self) -> &'static str {
                match self { $(Self::$name => $ending,)* }
            }

            /// As people write it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

units! {
    /// A plain number, or no number at all.
    None "" "";
    /// Power.
    Watts "_watts" "W";
    /// Energy.
    Joules "_joules" "J";
    /// Temperature.
    Celsius "_celsius" "°C";
    /// Frequency.
    Megahertz "_mhz" "MHz";
    /// A share of a hundred.
    Percent "_percent" "%";
    /// An amount of data.
    Bytes "_bytes" "B";
    /// A rate of data.
    BytesPerSecond "_bytes_per_second" "B/s";
    /// A rate of a link, in millions of bits.
    Megabits "_mbps" "Mbit/s";
    /// The width of a bus.
    Bits "_bits" "bit";
    /// Time.
    Seconds "_seconds" "s";
    /// Short time.
    Microseconds "_microseconds" "µs";
    /// Turns of a fan.
    Revolutions "_rpm" "1/min";
    /// Pictures.
    FramesPerSecond "_fps" "1/s";
}

/// A type of value that can be read.
pub trait Quantity {
    /// Its unit.
    const UNIT: Unit;
    /// Its type in JSON.
    const SHAPE: Shape;

    /// The value, without its type.
    fn show(&self) -> Shown<'_>;
}

macro_rules! quantities {
    ($($type:ty, $unit:ident, $shape:ident, |$value:ident| $shown:expr;)*) => { $(
        impl Quantity for $type {
            const UNIT: Unit = Unit::$unit;
            const SHAPE: Shape = Shape::$shape;

            fn show(&self) -> Shown<'_> {
                let $value = self;
                $shown
            }
        }
    )* };
}

quantities! {
    Watts, Watts, Number, |value| Shown::Float(value.0);
    Joules, Joules, Number, |value| Shown::Float(value.0);
    Celsius, Celsius, Number, |value| Shown::Float(value.0);
    Megahertz, Megahertz, Number, |value| Shown::Float(value.0);
    Percent, Percent, Number, |value| Shown::Float(value.0);
    BytesPerSecond, BytesPerSecond, Number, |value| Shown::Float(value.0);
    Seconds, Seconds, Number, |value| Shown::Float(value.0);
    Bytes, Bytes, Integer, |value| Shown::Integer(value.0.into());
    Megabits, Megabits, Integer, |value| Shown::Integer(value.0.into());
    Bits, Bits, Integer, |value| Shown::Integer(value.0.into());
    Microseconds, Microseconds, Integer, |value| Shown::Integer(value.0.into());
    Revolutions, Revolutions, Integer, |value| Shown::Integer(value.0.into());
    FramesPerSecond, FramesPerSecond, Integer, |value| Shown::Integer(value.0.into());
    u32, None, Integer, |value| Shown::Integer((*value).into());
    u64, None, Integer, |value| Shown::Integer((*value).into());
    bool, None, Boolean, |value| Shown::Flag(*value);
    String, None, Text, |value| Shown::Text(value.into());
    Label, None, Text, |value| Shown::Text(Cow::Borrowed(value.as_str()));
    Timestamp, None, Time, |value| Shown::Time(*value);
    PciBusId, None, Text, |value| Shown::Text(value.to_string().into());
    PerformanceState, None, Text, |value| Shown::Text(value.to_string().into());
    ThrottleReasons, None, Texts, |value| Shown::Texts(value.names().into_iter().map(Cow::Owned).collect());
    Vec<Label>, None, Texts, |value| Shown::Texts(value.iter().map(|word| Cow::Borrowed(word.as_str())).collect());
    Vec<String>, None, Texts, |value| Shown::Texts(value.iter().map(Cow::from).collect());
    Vec<u32>, None, Integers, |value| Shown::Integers(value.iter().copied().map(u64::from).collect());
}

impl<T: Quantity> Quantity for Option<T> {
    const UNIT: Unit = T::UNIT;
    const SHAPE: Shape = T::SHAPE;

    fn show(&self) -> Shown<'_> {
        self.as_ref().map_or(Shown::Nothing, T::show)
    }
}
