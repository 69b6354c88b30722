//! The performance monitor (GPM): two samples that are taken in turns, and what happened between them.

use nvml_wrapper::{
    Device, GpmSample, Nvml, enums::gpm::GpmMetricId, error::NvmlError, gpm::gpm_metrics_get,
};

use crate::ffi;

/// The samples of one GPU or of one GPU instance. Both are freed with it.
pub(crate) struct GpmBuffers<'n> {
    nvml: &'n Nvml,
    /// The GPU instance; nothing for the GPU as a whole.
    instance: Option<u32>,
    earlier: Option<GpmSample<'n>>,
    latest: Option<GpmSample<'n>>,
}

impl<'n> GpmBuffers<'n> {
    /// Samples of the GPU, or of a GPU instance. Memory is taken with the first two samples and then used again.
    pub(crate) fn new(nvml: &'n Nvml, instance: Option<u32>) -> Self {
        Self {
            nvml,
            instance,
            earlier: None,
            latest: None,
        }
    }

    /// Takes a sample (`nvmlGpmSampleGet`, `nvmlGpmMigSampleGet`); the one before the last is overwritten.
    ///
    /// After an error the two samples are not a pair any more: begin anew.
    pub(crate) fn take(&mut self, device: &Device<'n>) -> Result<(), NvmlError> {
        let next = match self.earlier.take() {
            Some(oldest) => {
                ffi::gpm_take_again(device, self.instance, &oldest)?;
                oldest
            }
            None => match self.instance {
                None => device.gpm_sample()?,
                Some(instance) => device.gpm_mig_sample(instance)?,
            },
        };
        self.earlier = self.latest.replace(next);
        Ok(())
    }

    /// What happened between the last two samples (`nvmlGpmMetricsGet`), in percent or MiB per second; nothing if there are
    /// none yet.
    pub(crate) fn metrics(
        &self,
        wanted: &[GpmMetricId],
    ) -> Result<Option<Vec<Result<f64, NvmlError>>>, NvmlError> {
        let (Some(earlier), Some(latest)) = (&self.earlier, &self.latest) else {
            return Ok(None);
        };
        let answers = gpm_metrics_get(self.nvml, earlier, latest, wanted)?;
        Ok(Some(
            answers
                .into_iter()
                .map(|answer| answer.map(|result| result.value))
                .collect(),
        ))
    }
}
