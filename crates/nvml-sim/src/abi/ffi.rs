//! Where C pointers become checked values, and Rust functions become exported symbols.
//!
//! The contract with a client is NVML's own: a pointer is NULL or valid for what its parameter's type says.
//! Each wrapper checks for NULL and does one access; its size is that of the parameter's type or, for a
//! versioned structure, what the caller declared in it.
#![allow(unsafe_code, reason = "the pointers come from C")]

use std::ffi::c_char;

use super::code::{Code, Result};

/// Structures that begin with `size | version << 24`.
pub(super) trait Versioned: Copy {
    /// What the first field has to be.
    const TAG: u32;
}

/// A place for one value.
#[repr(transparent)]
pub(super) struct Out<T>(*mut T);

/// A place with a value that is read and written.
#[repr(transparent)]
pub(super) struct InOut<T>(*mut T);

/// A place for the items of a list whose length goes through an [`InOut<u32>`].
#[repr(transparent)]
pub(super) struct Array<T>(*mut T);

/// A place for a string whose length is another parameter.
#[repr(transparent)]
pub(super) struct CharBuf(*mut c_char);

/// A NUL-terminated string.
#[repr(transparent)]
pub(super) struct Text(*const c_char);

/// A structure that says its own size and version.
#[repr(transparent)]
pub(super) struct Tagged(*mut u32);

/// No identifier that a client passes is longer; bounds the search for its end.
const LONGEST_TEXT: usize = 255;

impl<T: Copy> Out<T> {
    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(super) fn write(&self, value: T) -> Result {
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not NULL, hence by contract valid for writing a `T`.
        unsafe { self.0.write_unaligned(value) };
        Ok(())
    }
}

impl<T: Copy> InOut<T> {
    pub(super) fn read(&self) -> Result<T> {
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not NULL, hence by contract valid for reading a `T` that the caller has filled in.
        Ok(unsafe { self.0.read_unaligned() })
    }

    pub(super) fn write(&self, value: T) -> Result {
        Out(self.0).write(value)
    }
}

impl<T: Copy> Array<T> {
    /// NVML's protocol for lists: says how long the list is, and copies it if there is room.
    pub(super) fn fill(&self, count: &InOut<u32>, items: &[T]) -> Result {
        let room = count.read()?;
        let needed = u32::try_from(items.len()).map_err(|_| Code::UNKNOWN)?;
        count.write(needed)?;
        if room < needed {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        self.copy(items)
    }

    /// Copies items into a place that is known to have room for them.
    pub(super) fn copy(&self, items: &[T]) -> Result {
        if items.is_empty() {
            return Ok(());
        }
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        // SAFETY: not NULL, and the caller has declared room for at least so many items, bytes of which
        // cannot overlap ours.
        unsafe {
            std::ptr::copy_nonoverlapping(
                items.as_ptr().cast::<u8>(),
                self.0.cast::<u8>(),
                size_of_val(items),
            )
        };
        Ok(())
    }

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// The same place for items of another layout, as a driver of another age takes it.
    pub(super) fn of<U: Copy>(&self) -> Array<U> {
        Array(self.0.cast())
    }

    /// The item at a place that is known to exist.
    pub(super) fn item(&self, index: usize) -> InOut<T> {
        InOut(if self.0.is_null() {
            self.0
        } else {
            self.0.wrapping_add(index)
        })
    }

    /// The list that a pointer inside a structure points to.
    pub(super) fn at(address: usize) -> Self {
        Self(std::ptr::with_exposed_provenance_mut(address))
    }
}

impl CharBuf {
    /// Writes a string and its end, if there is room for both.
    pub(super) fn write(&self, room: u32, bytes: &[u8]) -> Result {
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        if bytes.len() >= room as usize {
            return Err(Code::INSUFFICIENT_SIZE);
        }
        let mut text = Vec::with_capacity(bytes.len() + 1);
        text.extend_from_slice(bytes);
        text.push(0);
        // SAFETY: not NULL, and the caller has declared `room` bytes, which is at least the length of `text`.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), self.0.cast::<u8>(), text.len()) };
        Ok(())
    }
}

impl Text {
    /// The string; over-long ones and other encodings are invalid arguments.
    pub(super) fn read(&self) -> Result<String> {
        if self.0.is_null() {
            return Err(Code::INVALID_ARGUMENT);
        }
        let mut bytes = Vec::new();
        loop {
            // SAFETY: not NULL, hence by contract NUL-terminated; the end has not been passed yet.
            let byte = unsafe { self.0.wrapping_add(bytes.len()).read() };
            if byte == 0 {
                break;
            }
            if bytes.len() == LONGEST_TEXT {
                return Err(Code::INVALID_ARGUMENT);
            }
            bytes.push(byte as u8);
        }
        String::from_utf8(bytes).map_err(|_| Code::INVALID_ARGUMENT)
    }
}

impl Tagged {
    /// The size and version that the caller declares.
    pub(super) fn tag(&self) -> Result<u32> {
        InOut(self.0).read()
    }

    /// The structure, if it is the one that the caller declares.
    pub(super) fn of<T: Versioned>(&self) -> Result<InOut<T>> {
        self.of_version(T::TAG)
    }

    /// The structure, if the caller declares it under this tag, one of an earlier version with the same layout.
    pub(super) fn of_version<T: Versioned>(&self, tag: u32) -> Result<InOut<T>> {
        if self.tag()? == tag {
            Ok(InOut(self.0.cast()))
        } else {
            Err(Code::VERSION_MISMATCH)
        }
    }
}

impl<T: Copy> InOut<T> {
    /// The list that follows a structure directly, as C arrays at a structure's end do.
    pub(super) fn following<U: Copy>(&self) -> Array<U> {
        Array(if self.0.is_null() {
            self.0.cast()
        } else {
            self.0.wrapping_add(1).cast()
        })
    }
}

/// Exports functions. `global` ones concern no GPU; `device` ones begin with a handle of a GPU, `any_device`
/// ones with that of a GPU or MIG device, `part` ones with that of a GPU or compute instance; `lookup` ones find out themselves which GPU they concern;
/// `waiting` ones are like `lookup`, but do not take part in the exclusion of calls. In the body, the
/// closure's parameter is the call.
macro_rules! export {
    ($($kind:ident fn $($name:ident)|+ ( $($args:tt)* ) |$call:pat_param| $body:block)*) => {
        $($crate::abi::ffi::export_all!($kind [$($name)|+] ($($args)*) |$call| $body);)*

        /// Puts what this file exports on a list, for tests that call everything.
        #[cfg(test)]
        pub(in crate::abi) fn exported(list: &mut Vec<$crate::abi::whole_calls::Entry>) {
            $($crate::abi::ffi::listed!(list, $kind [$($name)|+] ($($args)*));)*
        }
    };
}

/// One symbol for each of the names that share a body.
macro_rules! export_all {
    ($kind:ident [$($name:ident)|+] $args:tt |$call:pat_param| $body:block) => {
        $($crate::abi::ffi::export_one!($kind $name $args |$call| $body);)+
    };
}

/// One symbol.
macro_rules! export_one {
    (device $name:ident ( $($arg:ident : $type:ty),* $(,)? ) |$call:pat_param| $body:block) => {
        $crate::abi::ffi::export_one!(@ with_handle on_device $name ($($arg: $type),*) |$call| $body);
    };
    (any_device $name:ident ( $($arg:ident : $type:ty),* $(,)? ) |$call:pat_param| $body:block) => {
        $crate::abi::ffi::export_one!(@ with_handle on_any_device $name ($($arg: $type),*) |$call| $body);
    };
    (part $name:ident ( $($arg:ident : $type:ty),* $(,)? ) |$call:pat_param| $body:block) => {
        $crate::abi::ffi::export_one!(@ with_handle on_part $name ($($arg: $type),*) |$call| $body);
    };
    (@ with_handle $gate:ident $name:ident ( $($arg:ident : $type:ty),* ) |$call:pat_param| $body:block) => {
        #[allow(unsafe_code, non_snake_case, reason = "NVML's symbols have NVML's names")]
        #[unsafe(no_mangle)]
        pub(in crate::abi) extern "C" fn $name(handle: $crate::abi::handle::Handle $(, $arg: $type)*) -> u32 {
            const FUNCTION: usize = $crate::abi::names::number_of(stringify!($name));
            $crate::abi::call::$gate(FUNCTION, handle, |$call| $body)
        }
    };
    ($gate:ident $name:ident ( $($arg:ident : $type:ty),* $(,)? ) |$call:pat_param| $body:block) => {
        #[allow(unsafe_code, non_snake_case, reason = "NVML's symbols have NVML's names")]
        #[unsafe(no_mangle)]
        pub(in crate::abi) extern "C" fn $name($($arg: $type),*) -> u32 {
            const FUNCTION: usize = $crate::abi::names::number_of(stringify!($name));
            $crate::abi::call::$gate(FUNCTION, |$call| $body)
        }
    };
}

/// Puts the functions that share a body on a list, as what C sees: functions of these parameters.
#[cfg(test)]
macro_rules! listed {
    ($list:ident, $kind:ident [$($name:ident)|+] $args:tt) => {
        $($list.push($crate::abi::whole_calls::Entry::new(
            stringify!($kind),
            stringify!($name),
            $crate::abi::ffi::listed!(@ $kind $name $args),
        ));)+
    };
    (@ device $name:ident $args:tt) => { $crate::abi::ffi::listed!(@ any_device $name $args) };
    (@ part $name:ident $args:tt) => { $crate::abi::ffi::listed!(@ any_device $name $args) };
    (@ any_device $name:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $name as extern "C" fn($crate::abi::handle::Handle $(, $type)*) -> u32
    };
    (@ $kind:ident $name:ident ( $($arg:ident : $type:ty),* $(,)? )) => {
        $name as extern "C" fn($($type),*) -> u32
    };
}

#[cfg(test)]
pub(super) use listed;
pub(super) use {export, export_all, export_one};

/// The text of a return code.
#[unsafe(no_mangle)]
extern "C" fn nvmlErrorString(code: u32) -> *const c_char {
    super::code::text(code).as_ptr()
}

#[cfg(test)]
pub(super) use places::Pointer;

#[cfg(test)]
mod places {
    //! Tests stand in for C callers: references are valid pointers, and so are the addresses of buffers.

    use super::{Array, CharBuf, InOut, Out, Tagged, Text};

    /// A parameter that is a pointer.
    pub(in crate::abi) trait Pointer {
        /// The parameter that a caller passes who has a place at `address`, or none.
        fn to(address: *mut u8) -> Self;
    }

    impl<T> Pointer for Out<T> {
        fn to(address: *mut u8) -> Self {
            Self(address.cast())
        }
    }

    impl<T> Pointer for InOut<T> {
        fn to(address: *mut u8) -> Self {
            Self(address.cast())
        }
    }

    impl<T> Pointer for Array<T> {
        fn to(address: *mut u8) -> Self {
            Self(address.cast())
        }
    }

    impl Pointer for CharBuf {
        fn to(address: *mut u8) -> Self {
            Self(address.cast())
        }
    }

    impl Pointer for Text {
        fn to(address: *mut u8) -> Self {
            Self(address.cast_const().cast())
        }
    }

    impl Pointer for Tagged {
        fn to(address: *mut u8) -> Self {
            Self(address.cast())
        }
    }

    impl<T> From<&mut T> for Out<T> {
        fn from(place: &mut T) -> Self {
            Self(place)
        }
    }

    impl<T> From<&mut T> for InOut<T> {
        fn from(place: &mut T) -> Self {
            Self(place)
        }
    }

    impl<T> From<&mut [T]> for Array<T> {
        fn from(places: &mut [T]) -> Self {
            Self(places.as_mut_ptr())
        }
    }

    impl<T> From<&mut T> for Tagged {
        fn from(place: &mut T) -> Self {
            Self(std::ptr::from_mut(place).cast())
        }
    }

    impl From<&mut [u8]> for CharBuf {
        fn from(places: &mut [u8]) -> Self {
            Self(places.as_mut_ptr().cast())
        }
    }
}
