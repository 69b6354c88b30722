//! How hard a GPU is pressed.

/// How hard a GPU is pressed, 0 to 1 each; or, summed up over time, seconds of full load.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Load {
    pub(super) gpu: f64,
    /// The memory interface.
    pub(super) memory: f64,
    pub(super) encoder: f64,
    pub(super) decoder: f64,
    pub(super) jpeg: f64,
    pub(super) ofa: f64,
}

impl Load {
    /// Changes every part.
    pub(super) fn map(self, change: impl Fn(f64) -> f64) -> Self {
        self.with(self, |own, _| change(own))
    }

    /// Puts every part together with another one's.
    pub(super) fn with(self, other: Self, put: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            gpu: put(self.gpu, other.gpu),
            memory: put(self.memory, other.memory),
            encoder: put(self.encoder, other.encoder),
            decoder: put(self.decoder, other.decoder),
            jpeg: put(self.jpeg, other.jpeg),
            ofa: put(self.ofa, other.ofa),
        }
    }

    /// The sum of both.
    pub(super) fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// What is more than all there is, is all there is.
    pub(super) fn capped(self) -> Self {
        self.map(|part| part.clamp(0.0, 1.0))
    }

    /// The load that a part of a GPU is to the whole of it. Video engines are not divided.
    pub(super) fn of_share(self, share: f64) -> Self {
        Self {
            gpu: self.gpu * share,
            memory: self.memory * share,
            ..self
        }
    }

    pub(super) fn to_array(self) -> [f32; 6] {
        let Self {
            gpu,
            memory,
            encoder,
            decoder,
            jpeg,
            ofa,
        } = self;
        [gpu, memory, encoder, decoder, jpeg, ofa].map(|part| part as f32)
    }

    pub(super) fn from_array([gpu, memory, encoder, decoder, jpeg, ofa]: [f32; 6]) -> Self {
        Self {
            gpu: gpu.into(),
            memory: memory.into(),
            encoder: encoder.into(),
            decoder: decoder.into(),
            jpeg: jpeg.into(),
            ofa: ofa.into(),
        }
    }
}
