//! An exported function as a test can call it that knows nothing but the shape of its parameters.

use super::super::ffi::{Array, CharBuf, InOut, Out, Pointer, Tagged, Text};
use super::super::handle::Handle;

/// An exported function.
pub(in crate::abi) struct Entry {
    /// What its declaration says that it concerns.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) params: Vec<Param>,
    call: Box<Caller>,
}

/// Calls a function with a value for each of its parameters.
type Caller = dyn Fn(&[Value]) -> u32;

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::abi) enum Param {
    Handle,
    /// A number of 32 bits.
    Number,
    /// A number of 32 bits with a sign.
    Signed,
    /// A number of 64 bits.
    Long,
    /// A place for so many bytes.
    Out(usize),
    /// A place for a handle.
    NewHandle,
    /// A place with so many bytes that are read and written.
    InOut(usize),
    /// A list of items of so many bytes.
    List(usize),
    /// A place for a text.
    Characters,
    /// A text that ends with 0.
    Text,
    /// A structure that says its own size and version.
    Tagged,
}

/// What is passed for a parameter.
#[derive(Debug, Clone, Copy)]
pub(in crate::abi) enum Value {
    Handle(Handle),
    Number(u32),
    Long(u64),
    Address(*mut u8),
}

impl Entry {
    pub(in crate::abi) fn new<F: Callable + 'static>(
        kind: &'static str,
        name: &'static str,
        function: F,
    ) -> Self {
        Self {
            kind,
            name,
            params: F::params(),
            call: Box::new(move |values| function.call(values)),
        }
    }

    /// Calls it with a value for each parameter.
    pub(super) fn call(&self, values: &[Value]) -> u32 {
        assert_eq!(values.len(), self.params.len(), "{}", self.name);
        (self.call)(values)
    }

    /// The place of the parameter that tells how long the list or the text at `place` is, if one does.
    pub(super) fn room_of(&self, place: usize) -> Option<usize> {
        let of = |wanted: fn(&Param) -> bool| self.params.iter().position(wanted);
        let near = |places: [Option<usize>; 2]| {
            let mut places = places.into_iter().flatten();
            places.find(|at| self.params.get(*at) == Some(&Param::Number))
        };
        if let Some(count) = of(|param| *param == Param::InOut(4)) {
            return Some(count);
        }
        match self.params[place] {
            Param::List(_) => {
                of(|param| *param == Param::Signed).or_else(|| near([place.checked_sub(1), Some(place + 1)]))
            }
            _ => near([Some(place + 1), None]),
        }
    }
}

/// A type of parameters.
pub(in crate::abi) trait Parameter {
    fn param() -> Param;

    fn of(value: Value) -> Self;
}

/// A function with these parameters.
pub(in crate::abi) trait Callable {
    fn params() -> Vec<Param>;

    fn call(&self, values: &[Value]) -> u32;
}

macro_rules! callable {
    ($($type:ident $place:literal),*) => {
        impl<$($type: Parameter),*> Callable for extern "C" fn($($type),*) -> u32 {
            fn params() -> Vec<Param> {
                vec![$($type::param()),*]
            }

            fn call(&self, _values: &[Value]) -> u32 {
                self($($type::of(_values[$place])),*)
            }
        }
    };
}

callable!();
callable!(A 0);
callable!(A 0, B 1);
callable!(A 0, B 1, C 2);
callable!(A 0, B 1, C 2, D 3);
callable!(A 0, B 1, C 2, D 3, E 4);
callable!(A 0, B 1, C 2, D 3, E 4, G 5);

fn address(value: Value) -> *mut u8 {
    match value {
        Value::Address(address) => address,
        other => panic!("{other:?} for a pointer"),
    }
}

impl Parameter for Handle {
    fn param() -> Param {
        Param::Handle
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Handle(handle) => handle,
            other => panic!("{other:?} for a handle"),
        }
    }
}

macro_rules! numbers {
    ($($type:ty => $param:ident of $value:ident),*) => {$(
        impl Parameter for $type {
            fn param() -> Param {
                Param::$param
            }

            fn of(value: Value) -> Self {
                match value {
                    Value::$value(number) => number as Self,
                    other => panic!("{other:?} for a number"),
                }
            }
        }
    )*};
}

numbers!(u32 => Number of Number, i32 => Signed of Number, u64 => Long of Long);

impl<T: 'static> Parameter for Out<T> {
    fn param() -> Param {
        if std::any::TypeId::of::<T>() == std::any::TypeId::of::<Handle>() {
            Param::NewHandle
        } else {
            Param::Out(size_of::<T>())
        }
    }

    fn of(value: Value) -> Self {
        Self::to(address(value))
    }
}

macro_rules! pointers {
    ($([$($generic:ident)?] $type:ty => $param:expr),*) => {$(
        impl$(<$generic>)? Parameter for $type {
            fn param() -> Param {
                $param
            }

            fn of(value: Value) -> Self {
                Self::to(address(value))
            }
        }
    )*};
}

pointers!(
    [T] InOut<T> => Param::InOut(size_of::<T>()),
    [T] Array<T> => Param::List(size_of::<T>()),
    [] CharBuf => Param::Characters,
    [] Text => Param::Text,
    [] Tagged => Param::Tagged
);
