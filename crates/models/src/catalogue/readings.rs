//! The macro that declares a struct of readings together with its description.

/// Declares structs of readings:
///
/// ```ignore
/// readings! {
///     /// Draw and limits.
///     pub struct Power {
///         /// Draw now.
///         reading draw_watts: Watts, gauge, "nvmlDeviceGetPowerUsage", Kepler;
///         /// Statistics of the draw since the last tick.
///         part interval: WattsSpread;
///         /// Each fan.
///         list fans: Fan, "nvmlDeviceGetNumFans", Maxwell;
///     }
/// }
/// ```
///
/// A `reading` becomes a `Reading<Watts>`, a `part` a field of that type, a `list` a `Reading<Vec<Fan>>`. The field's name
/// is its key on the wire.
macro_rules! readings {
    ($(
        $(#[$outer:meta])*
        pub struct $name:ident {
            $(
                $(#[doc = $doc:literal])*
                $what:ident $field:ident : $type:ty $(, $kind:ident, $source:literal, $since:ident)? ;
            )*
        }
    )*) => { $(
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub struct $name {
            $(
                $(#[doc = $doc])*
                pub $field: $crate::catalogue::what_is_read!($what type $type),
            )*
        }

        impl $name {
            /// The same, with what was known `before` in place of what is absent: for what does not change.
            #[must_use]
            pub fn or(self, before: &Self) -> Self {
                Self { $( $field: self.$field.or(&before.$field), )* }
            }
        }

        impl $crate::catalogue::Readings for $name {
            fn see<'a>(
                &'a self,
                visit: &mut dyn FnMut(
                    &'static $crate::catalogue::Metric,
                    $crate::Reading<$crate::catalogue::Shown<'a>>,
                ),
            ) {
                let mut metrics = <Self as $crate::catalogue::Catalogued>::METRICS.iter();
                $(
                    if let Some(metric) = metrics.next() {
                        visit(metric, $crate::catalogue::what_is_read!($what shown self.$field));
                    }
                )*
            }
        }

        impl $crate::catalogue::Catalogued for $name {
            const METRICS: &'static [$crate::catalogue::Metric] = &[
                $(
                    $crate::catalogue::Metric {
                        key: stringify!($field),
                        description: concat!($($doc),*),
                        what: $crate::catalogue::what_it_is!($what $type $(, $kind, $source, $since)?),
                    },
                )*
            ];

            fn absent(reason: $crate::Reason) -> Self {
                Self { $( $field: $crate::catalogue::what_is_read!($what absent reason), )* }
            }
        }
    )* };
}

/// What a field is: its type, how it is shown, and how it is absent.
macro_rules! what_is_read {
    (reading type $type:ty) => { $crate::Reading<$type> };
    (part type $type:ty) => { $type };
    (list type $type:ty) => { $crate::Reading<Vec<$type>> };
    (reading shown $self:ident . $field:ident) => {
        $self.$field.as_ref().map($crate::catalogue::Quantity::show)
    };
    (part shown $self:ident . $field:ident) => {
        $crate::Reading::Value($crate::catalogue::Shown::Part($crate::catalogue::Below::Kept(&$self.$field)))
    };
    (list shown $self:ident . $field:ident) => {
        $self.$field.as_ref().map(|items| {
            let items = items.iter().map(|item| $crate::catalogue::Below::Kept(item));
            $crate::catalogue::Shown::Parts(items.collect())
        })
    };
    (part absent $reason:ident) => { $crate::catalogue::Catalogued::absent($reason) };
    ($what:ident absent $reason:ident) => { $crate::Reading::Unavailable($reason) };
}

/// How a field is described.
macro_rules! what_it_is {
    (reading $type:ty, $kind:ident, $source:literal, $since:ident) => {
        $crate::catalogue::What::Reading($crate::catalogue::Described {
            unit: <$type as $crate::catalogue::Quantity>::UNIT,
            shape: <$type as $crate::catalogue::Quantity>::SHAPE,
            kind: $crate::catalogue::what_it_is!(kind $kind),
            source: $source,
            since: $crate::catalogue::Since::$since,
        })
    };
    (part $type:ty) => {
        $crate::catalogue::What::Part(<$type as $crate::catalogue::Catalogued>::METRICS)
    };
    (list $type:ty, $kind:ident, $source:literal, $since:ident) => {
        $crate::catalogue::What::List(
            $crate::catalogue::Described {
                unit: $crate::catalogue::Unit::None,
                shape: $crate::catalogue::Shape::List,
                kind: $crate::catalogue::what_it_is!(kind $kind),
                source: $source,
                since: $crate::catalogue::Since::$since,
            },
            <$type as $crate::catalogue::Catalogued>::METRICS,
        )
    };
    (kind gauge) => { $crate::catalogue::Kind::Gauge };
    (kind counter) => { $crate::catalogue::Kind::Counter };
    (kind info) => { $crate::catalogue::Kind::Info };
}

pub(crate) use {readings, what_is_read, what_it_is};
