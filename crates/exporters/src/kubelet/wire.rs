//! The messages of the PodResources API, version `v1`, as far as they are about devices. What is left out is skipped when
//! an answer is read, and so is what later versions add.

use prost::Message;

/// `v1.ListPodResourcesRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ListRequest {}

/// `v1.ListPodResourcesResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ListResponse {
    #[prost(message, repeated, tag = "1")]
    pub(super) pods: Vec<Pod>,
}

/// `v1.PodResources`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Pod {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) namespace: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) containers: Vec<Container>,
}

/// `v1.ContainerResources`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Container {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) devices: Vec<Devices>,
    #[prost(message, repeated, tag = "5")]
    pub(super) dynamic_resources: Vec<DynamicResource>,
}

/// `v1.ContainerDevices`: what a device plugin gave.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Devices {
    #[prost(string, tag = "1")]
    pub(super) resource_name: String,
    #[prost(string, repeated, tag = "2")]
    pub(super) device_ids: Vec<String>,
}

/// `v1.DynamicResource`: what a driver gave for a claim.
#[derive(Clone, PartialEq, Message)]
pub(super) struct DynamicResource {
    #[prost(message, repeated, tag = "4")]
    pub(super) claimed: Vec<Claimed>,
}

/// `v1.ClaimResource`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Claimed {
    #[prost(message, repeated, tag = "1")]
    pub(super) cdi_devices: Vec<CdiDevice>,
    /// Empty from a kubelet that does not know it yet.
    #[prost(string, tag = "2")]
    pub(super) driver_name: String,
    /// Likewise.
    #[prost(string, tag = "4")]
    pub(super) device_name: String,
}

/// `v1.CDIDevice`
#[derive(Clone, PartialEq, Message)]
pub(super) struct CdiDevice {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}
