//! The server's status and its greeting out of their records.

use rkyv::rend::unaligned::u16_ule;

use super::layout::{Body, Malformed, RECORD_VERSION};
use super::refused::Part;
use super::reply_decode::{Read, flags, stateless};
use super::reply_records::{ArchivedAnswerHead, ArchivedHelloV1, ArchivedStatusV2, ArchivedSummaryV1, ReplyKind};
use super::status::{DurabilityMode, Hello, ServerVersion, Status, Summary, SyncMethodCode};
use crate::base::Timestamp;

fn version(numbers: [u16; 3]) -> ServerVersion {
    let [major, minor, patch] = numbers;
    ServerVersion { major, minor, patch }
}

pub(super) fn status(head: &ArchivedAnswerHead, record: &[u8]) -> Read<Status> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedStatusV2>(record)?;
    Ok(Status {
        version: version(fixed.version.map(u16_ule::to_native)),
        shards: fixed.shards.to_native(),
        log_time: Timestamp::from_ms(fixed.log_time.to_native()),
        uptime_ms: fixed.uptime_ms.to_native(),
        orders: fixed.orders.to_native(),
        orders_max: fixed.orders_max.to_native(),
        details_bytes: fixed.details_bytes.to_native(),
        details_bytes_max: fixed.details_bytes_max.to_native(),
        rss_bytes: fixed.rss_bytes.to_native(),
        log_bytes: fixed.log_bytes.to_native(),
        syncs: fixed.syncs.to_native(),
        log_frames: fixed.log_frames.to_native(),
        connections: fixed.connections.to_native(),
        requests: fixed.requests.to_native(),
        durability: DurabilityMode::from_byte(fixed.durability).ok_or(Malformed(Part::Value))?,
        interval_ms: fixed.interval_ms.to_native(),
        sync_method: SyncMethodCode::from_byte(fixed.sync_method).ok_or(Malformed(Part::Value))?,
        stages: core::array::from_fn(|stage| summary(&fixed.stages[stage])),
        images: fixed.images.to_native(),
        image_age_ms: fixed.image_age_ms.to_native(),
        sinks: fixed.sinks.to_native(),
        sink_lag_ms: fixed.sink_lag_ms.to_native(),
    })
}

fn summary(summary: &ArchivedSummaryV1) -> Summary {
    Summary {
        count: summary.count.to_native(),
        p50: summary.p50.to_native(),
        p99: summary.p99.to_native(),
        p999: summary.p999.to_native(),
        max: summary.max.to_native(),
    }
}

pub(super) fn hello(record: &[u8], log_time: Timestamp) -> Read<Hello> {
    let fixed = Body::alone::<ArchivedHelloV1>(record)?;
    if fixed.head.record.kind != ReplyKind::Hello as u8 {
        return Err(Malformed(Part::Kind));
    }
    if fixed.head.record.version != RECORD_VERSION {
        return Err(Malformed(Part::Version));
    }
    if fixed.zero != 0 {
        return Err(Malformed(Part::Value));
    }
    Ok(Hello {
        version: version(fixed.version.map(u16_ule::to_native)),
        shards: fixed.shards.to_native(),
        log_time,
        frame_bytes_max: fixed.frame_bytes_max.to_native(),
        first_frame_bytes_max: fixed.first_frame_bytes_max.to_native(),
        frame_commands_max: fixed.frame_commands_max.to_native(),
        lines_max: fixed.lines_max.to_native(),
        details_bytes_max: fixed.details_bytes_max.to_native(),
        code_bytes_max: fixed.code_bytes_max.to_native(),
        page_rows_max: fixed.page_rows_max.to_native(),
        hold_ms_max: fixed.hold_ms_max.to_native(),
        id_ahead_ms_max: fixed.id_ahead_ms_max.to_native(),
    })
}
