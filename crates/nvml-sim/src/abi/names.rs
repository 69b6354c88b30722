//! The names that NVML exports, as of driver generation 13.5, in byte order.

/// Every function of the library. The position of a name is the function's number.
#[rustfmt::skip] // Several names on a line keep the list readable.
pub(crate) const NAMES: &[&str] = &[
    "nvmlComputeInstanceDestroy", "nvmlComputeInstanceGetInfo", "nvmlComputeInstanceGetInfo_v2",
    "nvmlDeviceClearAccountingPids", "nvmlDeviceClearCpuAffinity", "nvmlDeviceClearEccErrorCounts",
    "nvmlDeviceClearFieldValues", "nvmlDeviceCreateGpuInstance", "nvmlDeviceCreateGpuInstanceWithPlacement",
    "nvmlDeviceDiscoverGpus", "nvmlDeviceFreezeNvLinkUtilizationCounter", "nvmlDeviceGetAPIRestriction",
    "nvmlDeviceGetAccountingBufferSize", "nvmlDeviceGetAccountingMode", "nvmlDeviceGetAccountingPids",
    "nvmlDeviceGetAccountingStats", "nvmlDeviceGetAccountingStats_v2", "nvmlDeviceGetActiveVgpus",
    "nvmlDeviceGetAdaptiveClockInfoStatus", "nvmlDeviceGetAdaptiveTgpModeInfo_v1",
    "nvmlDeviceGetAddressingMode", "nvmlDeviceGetApplicationsClock", "nvmlDeviceGetArchitecture",
    "nvmlDeviceGetAttributes", "nvmlDeviceGetAttributes_v2", "nvmlDeviceGetAutoBoostedClocksEnabled",
    "nvmlDeviceGetBAR1MemoryInfo", "nvmlDeviceGetBBXTimeData_v1", "nvmlDeviceGetBankRemapperStatus_v1",
    "nvmlDeviceGetBoardId", "nvmlDeviceGetBoardPartNumber", "nvmlDeviceGetBrand",
    "nvmlDeviceGetBridgeChipInfo", "nvmlDeviceGetBusType", "nvmlDeviceGetC2cModeInfoV",
    "nvmlDeviceGetCapabilities", "nvmlDeviceGetClkMonStatus", "nvmlDeviceGetClock", "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetClockOffsets", "nvmlDeviceGetComputeInstanceId", "nvmlDeviceGetComputeMode",
    "nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetComputeRunningProcesses_v2",
    "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetConfComputeGpuAttestationReport",
    "nvmlDeviceGetConfComputeGpuCertificate", "nvmlDeviceGetConfComputeMemSizeInfo",
    "nvmlDeviceGetConfComputeProtectedMemoryUsage", "nvmlDeviceGetCoolerInfo", "nvmlDeviceGetCount",
    "nvmlDeviceGetCount_v2", "nvmlDeviceGetCpuAffinity", "nvmlDeviceGetCpuAffinityWithinScope",
    "nvmlDeviceGetCreatableVgpus", "nvmlDeviceGetCudaComputeCapability",
    "nvmlDeviceGetCurrPcieLinkGeneration", "nvmlDeviceGetCurrPcieLinkWidth", "nvmlDeviceGetCurrentClockFreqs",
    "nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons",
    "nvmlDeviceGetDecoderUtilization", "nvmlDeviceGetDefaultApplicationsClock", "nvmlDeviceGetDefaultEccMode",
    "nvmlDeviceGetDetailedEccErrors", "nvmlDeviceGetDeviceHandleFromMigDeviceHandle",
    "nvmlDeviceGetDisplayActive", "nvmlDeviceGetDisplayMode", "nvmlDeviceGetDramEncryptionMode",
    "nvmlDeviceGetDriverModel", "nvmlDeviceGetDriverModel_v2", "nvmlDeviceGetDynamicPstatesInfo",
    "nvmlDeviceGetEccMode", "nvmlDeviceGetEncoderCapacity", "nvmlDeviceGetEncoderSessions",
    "nvmlDeviceGetEncoderStats", "nvmlDeviceGetEncoderUtilization", "nvmlDeviceGetEnforcedPowerLimit",
    "nvmlDeviceGetFBCSessions", "nvmlDeviceGetFBCStats", "nvmlDeviceGetFanControlPolicy_v2",
    "nvmlDeviceGetFanSpeed", "nvmlDeviceGetFanSpeedRPM", "nvmlDeviceGetFanSpeed_v2",
    "nvmlDeviceGetFieldValues", "nvmlDeviceGetGpcClkMinMaxVfOffset", "nvmlDeviceGetGpcClkVfOffset",
    "nvmlDeviceGetGpuFabricInfo", "nvmlDeviceGetGpuFabricInfoV", "nvmlDeviceGetGpuFabricInfo_v4",
    "nvmlDeviceGetGpuInstanceById", "nvmlDeviceGetGpuInstanceId",
    "nvmlDeviceGetGpuInstancePossiblePlacements", "nvmlDeviceGetGpuInstancePossiblePlacements_v2",
    "nvmlDeviceGetGpuInstanceProfileInfo", "nvmlDeviceGetGpuInstanceProfileInfoByIdV",
    "nvmlDeviceGetGpuInstanceProfileInfoV", "nvmlDeviceGetGpuInstanceRemainingCapacity",
    "nvmlDeviceGetGpuInstances", "nvmlDeviceGetGpuMaxPcieLinkGeneration", "nvmlDeviceGetGpuOperationMode",
    "nvmlDeviceGetGpuUptime_v1", "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetGraphicsRunningProcesses_v2", "nvmlDeviceGetGraphicsRunningProcesses_v3",
    "nvmlDeviceGetGridLicensableFeatures", "nvmlDeviceGetGridLicensableFeatures_v2",
    "nvmlDeviceGetGridLicensableFeatures_v3", "nvmlDeviceGetGridLicensableFeatures_v4",
    "nvmlDeviceGetGspFirmwareMode", "nvmlDeviceGetGspFirmwareVersion", "nvmlDeviceGetHandleByIndex",
    "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByPciBusId", "nvmlDeviceGetHandleByPciBusId_v2",
    "nvmlDeviceGetHandleBySerial", "nvmlDeviceGetHandleByUUID", "nvmlDeviceGetHandleByUUIDV",
    "nvmlDeviceGetHostVgpuMode", "nvmlDeviceGetHostname_v1", "nvmlDeviceGetIndex",
    "nvmlDeviceGetInforomConfigurationChecksum", "nvmlDeviceGetInforomImageVersion",
    "nvmlDeviceGetInforomVersion", "nvmlDeviceGetIrqNum", "nvmlDeviceGetJpgUtilization",
    "nvmlDeviceGetLastBBXFlushTime", "nvmlDeviceGetMPSComputeRunningProcesses",
    "nvmlDeviceGetMPSComputeRunningProcesses_v2", "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    "nvmlDeviceGetMarginTemperature", "nvmlDeviceGetMaxClockInfo", "nvmlDeviceGetMaxCustomerBoostClock",
    "nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMaxPcieLinkGeneration", "nvmlDeviceGetMaxPcieLinkWidth",
    "nvmlDeviceGetMemClkMinMaxVfOffset", "nvmlDeviceGetMemClkVfOffset", "nvmlDeviceGetMemoryAffinity",
    "nvmlDeviceGetMemoryBusWidth", "nvmlDeviceGetMemoryErrorCounter", "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetMemoryLimits_v1", "nvmlDeviceGetMigDeviceHandleByIndex",
    "nvmlDeviceGetMigMode", "nvmlDeviceGetMinMaxClockOfPState", "nvmlDeviceGetMinMaxFanSpeed",
    "nvmlDeviceGetMinorNumber", "nvmlDeviceGetModuleId", "nvmlDeviceGetMultiGpuBoard", "nvmlDeviceGetName",
    "nvmlDeviceGetNumFans", "nvmlDeviceGetNumGpuCores", "nvmlDeviceGetNumaNodeId",
    "nvmlDeviceGetNvLinkCapability", "nvmlDeviceGetNvLinkErrorCounter", "nvmlDeviceGetNvLinkInfo",
    "nvmlDeviceGetNvLinkInfo_v3", "nvmlDeviceGetNvLinkRemoteDeviceType", "nvmlDeviceGetNvLinkRemotePciInfo",
    "nvmlDeviceGetNvLinkRemotePciInfo_v2", "nvmlDeviceGetNvLinkState",
    "nvmlDeviceGetNvLinkTelemetrySamples_v1", "nvmlDeviceGetNvLinkUtilizationControl",
    "nvmlDeviceGetNvLinkUtilizationCounter", "nvmlDeviceGetNvLinkVersion", "nvmlDeviceGetNvlinkBwMode",
    "nvmlDeviceGetNvlinkNvlePrivateInfo_v1", "nvmlDeviceGetNvlinkRemapTableInfo_v1",
    "nvmlDeviceGetNvlinkSupportedBwModes", "nvmlDeviceGetOfaUtilization", "nvmlDeviceGetP2PStatus",
    "nvmlDeviceGetPciInfo", "nvmlDeviceGetPciInfoExt", "nvmlDeviceGetPciInfo_v2", "nvmlDeviceGetPciInfo_v3",
    "nvmlDeviceGetPcieLinkMaxSpeed", "nvmlDeviceGetPcieReplayCounter", "nvmlDeviceGetPcieSpeed",
    "nvmlDeviceGetPcieThroughput", "nvmlDeviceGetPdi", "nvmlDeviceGetPerformanceModes",
    "nvmlDeviceGetPerformanceState", "nvmlDeviceGetPersistenceMode", "nvmlDeviceGetPgpuMetadataString",
    "nvmlDeviceGetPlatformInfo", "nvmlDeviceGetPowerManagementDefaultLimit",
    "nvmlDeviceGetPowerManagementLimit", "nvmlDeviceGetPowerManagementLimitConstraints",
    "nvmlDeviceGetPowerManagementMode", "nvmlDeviceGetPowerMizerMode_v1", "nvmlDeviceGetPowerSource",
    "nvmlDeviceGetPowerState", "nvmlDeviceGetPowerUsage", "nvmlDeviceGetProcessUtilization",
    "nvmlDeviceGetProcessesUtilizationInfo", "nvmlDeviceGetRemappedRows", "nvmlDeviceGetRemappedRows_v2",
    "nvmlDeviceGetRepairStatus", "nvmlDeviceGetRetiredPages", "nvmlDeviceGetRetiredPagesPendingStatus",
    "nvmlDeviceGetRetiredPages_v2", "nvmlDeviceGetRowRemapperHistogram",
    "nvmlDeviceGetRunningProcessDetailList", "nvmlDeviceGetSamples", "nvmlDeviceGetSerial",
    "nvmlDeviceGetSramEccErrorStatus", "nvmlDeviceGetSramUniqueUncorrectedEccErrorCounts",
    "nvmlDeviceGetSupportedClocksEventReasons", "nvmlDeviceGetSupportedClocksThrottleReasons",
    "nvmlDeviceGetSupportedEventTypes", "nvmlDeviceGetSupportedGraphicsClocks",
    "nvmlDeviceGetSupportedMemoryClocks", "nvmlDeviceGetSupportedPerformanceStates",
    "nvmlDeviceGetSupportedVgpus", "nvmlDeviceGetTargetFanSpeed", "nvmlDeviceGetTemperature",
    "nvmlDeviceGetTemperatureThreshold", "nvmlDeviceGetTemperatureV", "nvmlDeviceGetThermalSettings",
    "nvmlDeviceGetTopologyCommonAncestor", "nvmlDeviceGetTopologyNearestGpus", "nvmlDeviceGetTotalEccErrors",
    "nvmlDeviceGetTotalEnergyConsumption", "nvmlDeviceGetUUID", "nvmlDeviceGetUnrepairableMemoryFlag_v1",
    "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetVbiosVersion", "nvmlDeviceGetVgpuCapabilities",
    "nvmlDeviceGetVgpuHeterogeneousMode", "nvmlDeviceGetVgpuInstancesUtilizationInfo",
    "nvmlDeviceGetVgpuMetadata", "nvmlDeviceGetVgpuProcessUtilization",
    "nvmlDeviceGetVgpuProcessesUtilizationInfo", "nvmlDeviceGetVgpuSchedulerCapabilities",
    "nvmlDeviceGetVgpuSchedulerLog", "nvmlDeviceGetVgpuSchedulerLog_v2", "nvmlDeviceGetVgpuSchedulerState",
    "nvmlDeviceGetVgpuSchedulerState_v2", "nvmlDeviceGetVgpuTypeCreatablePlacements",
    "nvmlDeviceGetVgpuTypeSupportedPlacements", "nvmlDeviceGetVgpuUtilization",
    "nvmlDeviceGetViolationStatus", "nvmlDeviceGetVirtualizationMode", "nvmlDeviceIsMigDeviceHandle",
    "nvmlDeviceLockNvlinkRemapTable_v1", "nvmlDeviceModifyDrainState", "nvmlDeviceOnSameBoard",
    "nvmlDevicePerfMetricsGetSamples_v1", "nvmlDevicePowerSmoothingActivatePresetProfile",
    "nvmlDevicePowerSmoothingSetState", "nvmlDevicePowerSmoothingUpdatePresetProfileParam",
    "nvmlDeviceQueryDrainState", "nvmlDeviceReadPRMCounters_v1", "nvmlDeviceReadWritePRM_v1",
    "nvmlDeviceRegisterEvents", "nvmlDeviceRemoveGpu", "nvmlDeviceRemoveGpu_v2",
    "nvmlDeviceResetApplicationsClocks", "nvmlDeviceResetGpuLockedClocks",
    "nvmlDeviceResetMemoryLockedClocks", "nvmlDeviceResetNvLinkErrorCounters",
    "nvmlDeviceResetNvLinkUtilizationCounter", "nvmlDeviceSetAPIRestriction", "nvmlDeviceSetAccountingMode",
    "nvmlDeviceSetAdaptiveTgpMode_v1", "nvmlDeviceSetApplicationsClocks",
    "nvmlDeviceSetAutoBoostedClocksEnabled", "nvmlDeviceSetClockOffsets", "nvmlDeviceSetComputeMode",
    "nvmlDeviceSetConfComputeUnprotectedMemSize", "nvmlDeviceSetCpuAffinity",
    "nvmlDeviceSetDefaultAutoBoostedClocksEnabled", "nvmlDeviceSetDefaultFanSpeed_v2",
    "nvmlDeviceSetDramEncryptionMode", "nvmlDeviceSetDriverModel", "nvmlDeviceSetEccMode",
    "nvmlDeviceSetFanControlPolicy", "nvmlDeviceSetFanSpeed_v2", "nvmlDeviceSetGpcClkVfOffset",
    "nvmlDeviceSetGpuLockedClocks", "nvmlDeviceSetGpuOperationMode", "nvmlDeviceSetHostname_v1",
    "nvmlDeviceSetMemClkVfOffset", "nvmlDeviceSetMemoryLimits_v1", "nvmlDeviceSetMemoryLockedClocks",
    "nvmlDeviceSetMigMode", "nvmlDeviceSetNvLinkDeviceLowPowerThreshold",
    "nvmlDeviceSetNvLinkUtilizationControl", "nvmlDeviceSetNvlinkBwMode", "nvmlDeviceSetNvlinkBwModeAsync_v1",
    "nvmlDeviceSetNvlinkNvleReady_v1", "nvmlDeviceSetPersistenceMode", "nvmlDeviceSetPowerManagementLimit",
    "nvmlDeviceSetPowerManagementLimit_v2", "nvmlDeviceSetPowerMizerMode_v1", "nvmlDeviceSetRusdSettings_v1",
    "nvmlDeviceSetTemperatureThreshold", "nvmlDeviceSetVgpuCapabilities",
    "nvmlDeviceSetVgpuHeterogeneousMode", "nvmlDeviceSetVgpuSchedulerState",
    "nvmlDeviceSetVgpuSchedulerState_v2", "nvmlDeviceSetVirtualizationMode",
    "nvmlDeviceSetupNvlinkNvleEncryptionKey_v1", "nvmlDeviceValidateInforom", "nvmlDeviceVgpuForceGspUnload",
    "nvmlDeviceWorkloadPowerProfileClearRequestedProfiles",
    "nvmlDeviceWorkloadPowerProfileGetCurrentProfiles", "nvmlDeviceWorkloadPowerProfileGetProfilesInfo",
    "nvmlDeviceWorkloadPowerProfileSetRequestedProfiles", "nvmlDeviceWorkloadPowerProfileUpdateProfiles_v1",
    "nvmlErrorString", "nvmlEventSetCreate", "nvmlEventSetFree", "nvmlEventSetGetContextCount_v1",
    "nvmlEventSetGetContextData_v1", "nvmlEventSetGetContextInfo_v1",
    "nvmlEventSetGetGpuOperationalEventContextLegacyXid_v1", "nvmlEventSetRegisterGpuOperationalEvents_v1",
    "nvmlEventSetWait", "nvmlEventSetWait_v2", "nvmlEventSetWait_v3", "nvmlGetExcludedDeviceCount",
    "nvmlGetExcludedDeviceInfoByIndex", "nvmlGetVgpuCompatibility", "nvmlGetVgpuDriverCapabilities",
    "nvmlGetVgpuVersion", "nvmlGpmMetricsGet", "nvmlGpmMigSampleGet", "nvmlGpmQueryDeviceSupport",
    "nvmlGpmQueryIfStreamingEnabled", "nvmlGpmSampleAlloc", "nvmlGpmSampleFree", "nvmlGpmSampleGet",
    "nvmlGpmSetStreamingEnabled", "nvmlGpuInstanceCreateComputeInstance",
    "nvmlGpuInstanceCreateComputeInstanceWithPlacement", "nvmlGpuInstanceDestroy",
    "nvmlGpuInstanceGetActiveVgpus", "nvmlGpuInstanceGetComputeInstanceById",
    "nvmlGpuInstanceGetComputeInstancePossiblePlacements", "nvmlGpuInstanceGetComputeInstanceProfileInfo",
    "nvmlGpuInstanceGetComputeInstanceProfileInfoV", "nvmlGpuInstanceGetComputeInstanceRemainingCapacity",
    "nvmlGpuInstanceGetComputeInstances", "nvmlGpuInstanceGetCreatableVgpus", "nvmlGpuInstanceGetInfo",
    "nvmlGpuInstanceGetVgpuHeterogeneousMode", "nvmlGpuInstanceGetVgpuSchedulerLog",
    "nvmlGpuInstanceGetVgpuSchedulerLog_v2", "nvmlGpuInstanceGetVgpuSchedulerState",
    "nvmlGpuInstanceGetVgpuSchedulerState_v2", "nvmlGpuInstanceGetVgpuTypeCreatablePlacements",
    "nvmlGpuInstanceSetVgpuHeterogeneousMode", "nvmlGpuInstanceSetVgpuSchedulerState",
    "nvmlGpuInstanceSetVgpuSchedulerState_v2", "nvmlInit", "nvmlInitWithFlags", "nvmlInit_v2",
    "nvmlSetVgpuVersion", "nvmlShutdown", "nvmlSystemEventSetCreate", "nvmlSystemEventSetFree",
    "nvmlSystemEventSetWait", "nvmlSystemGetCPER_v1", "nvmlSystemGetConfComputeCapabilities",
    "nvmlSystemGetConfComputeGpusReadyState", "nvmlSystemGetConfComputeKeyRotationThresholdInfo",
    "nvmlSystemGetConfComputeSettings", "nvmlSystemGetConfComputeSettings_v2",
    "nvmlSystemGetConfComputeState", "nvmlSystemGetCudaDriverVersion", "nvmlSystemGetCudaDriverVersion_v2",
    "nvmlSystemGetDriverBranch", "nvmlSystemGetDriverVersion", "nvmlSystemGetHicVersion",
    "nvmlSystemGetNVMLVersion", "nvmlSystemGetNvlinkBwMode", "nvmlSystemGetProcessName",
    "nvmlSystemGetTopologyGpuSet", "nvmlSystemRegisterEvents", "nvmlSystemSetConfComputeGpusReadyState",
    "nvmlSystemSetConfComputeKeyRotationThresholdInfo", "nvmlSystemSetNvlinkBwMode", "nvmlUnitGetCount",
    "nvmlUnitGetDevices", "nvmlUnitGetFanSpeedInfo", "nvmlUnitGetHandleByIndex", "nvmlUnitGetLedState",
    "nvmlUnitGetPsuInfo", "nvmlUnitGetTemperature", "nvmlUnitGetUnitInfo", "nvmlUnitSetLedState",
    "nvmlVgpuInstanceClearAccountingPids", "nvmlVgpuInstanceGetAccountingMode",
    "nvmlVgpuInstanceGetAccountingPids", "nvmlVgpuInstanceGetAccountingStats", "nvmlVgpuInstanceGetEccMode",
    "nvmlVgpuInstanceGetEncoderCapacity", "nvmlVgpuInstanceGetEncoderSessions",
    "nvmlVgpuInstanceGetEncoderStats", "nvmlVgpuInstanceGetFBCSessions", "nvmlVgpuInstanceGetFBCStats",
    "nvmlVgpuInstanceGetFbUsage", "nvmlVgpuInstanceGetFrameRateLimit", "nvmlVgpuInstanceGetGpuInstanceId",
    "nvmlVgpuInstanceGetGpuPciId", "nvmlVgpuInstanceGetLicenseInfo", "nvmlVgpuInstanceGetLicenseInfo_v2",
    "nvmlVgpuInstanceGetLicenseStatus", "nvmlVgpuInstanceGetMdevUUID", "nvmlVgpuInstanceGetMetadata",
    "nvmlVgpuInstanceGetPlacementId", "nvmlVgpuInstanceGetRuntimeStateSize", "nvmlVgpuInstanceGetType",
    "nvmlVgpuInstanceGetUUID", "nvmlVgpuInstanceGetVmDriverVersion", "nvmlVgpuInstanceGetVmID",
    "nvmlVgpuInstanceSetEncoderCapacity", "nvmlVgpuTypeGetBAR1Info", "nvmlVgpuTypeGetCapabilities",
    "nvmlVgpuTypeGetClass", "nvmlVgpuTypeGetDeviceID", "nvmlVgpuTypeGetFbReservation",
    "nvmlVgpuTypeGetFrameRateLimit", "nvmlVgpuTypeGetFramebufferSize", "nvmlVgpuTypeGetGpuInstanceProfileId",
    "nvmlVgpuTypeGetGspHeapSize", "nvmlVgpuTypeGetLicense", "nvmlVgpuTypeGetMaxInstances",
    "nvmlVgpuTypeGetMaxInstancesPerGpuInstance", "nvmlVgpuTypeGetMaxInstancesPerVm", "nvmlVgpuTypeGetName",
    "nvmlVgpuTypeGetNumDisplayHeads", "nvmlVgpuTypeGetResolution",
];

/// The number of a function; a name that is not on the list stops the build.
pub(super) const fn number_of(name: &str) -> usize {
    let (mut low, mut high) = (0, NAMES.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(NAMES[middle].as_bytes(), name.as_bytes()) {
            0 => return middle,
            -1 => low = middle + 1,
            _ => high = middle,
        }
    }
    panic!("this name is not on the list");
}

const fn compare(a: &[u8], b: &[u8]) -> i8 {
    let mut at = 0;
    while at < a.len() && at < b.len() {
        if a[at] != b[at] {
            return if a[at] < b[at] { -1 } else { 1 };
        }
        at += 1;
    }
    if a.len() == b.len() {
        0
    } else if a.len() < b.len() {
        -1
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_name_has_its_number() {
        assert!(NAMES.is_sorted_by(|a, b| a < b));
        for (number, name) in NAMES.iter().enumerate() {
            assert_eq!(number_of(name), number);
        }
    }
}
