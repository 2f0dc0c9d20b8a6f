//! The server's status and its greeting into their records.

use super::frame::{ReplyFrameKind, close_frame, open_replies};
use super::layout::{RecordHead, put};
use super::reply_records::{AnswerHead, HelloV1, ReplyKind, StatusV2, SummaryV1};
use super::status::{Hello, Status, Summary};

/// The fixed struct of a status.
pub(super) fn status_fixed(head: AnswerHead, status: &Status) -> StatusV2 {
    StatusV2 {
        head,
        version: [status.version.major, status.version.minor, status.version.patch],
        shards: status.shards,
        log_time: status.log_time.ms(),
        uptime_ms: status.uptime_ms,
        orders: status.orders,
        orders_max: status.orders_max,
        details_bytes: status.details_bytes,
        details_bytes_max: status.details_bytes_max,
        rss_bytes: status.rss_bytes,
        log_bytes: status.log_bytes,
        syncs: status.syncs,
        log_frames: status.log_frames,
        connections: status.connections,
        requests: status.requests,
        interval_ms: status.interval_ms,
        durability: status.durability as u8,
        sync_method: status.sync_method as u8,
        stages: status.stages.map(|stage| {
            let Summary { count, p50, p99, p999, max } = stage;
            SummaryV1 { count, p50, p99, p999, max }
        }),
        images: status.images,
        image_age_ms: status.image_age_ms,
        sinks: status.sinks,
        sink_lag_ms: status.sink_lag_ms,
    }
}

/// The frame that greets a new connection.
#[must_use]
pub fn encode_hello(hello: &Hello) -> Vec<u8> {
    let mut frame = Vec::with_capacity(80);
    open_replies(&mut frame, ReplyFrameKind::Hello, hello.log_time);
    let record = RecordHead::new(ReplyKind::Hello as u8, 64);
    let fixed = HelloV1 {
        head: AnswerHead { record, index: 0, state: 0, flags: 0, correlation: 0 },
        version: [hello.version.major, hello.version.minor, hello.version.patch],
        shards: hello.shards,
        frame_bytes_max: hello.frame_bytes_max,
        first_frame_bytes_max: hello.first_frame_bytes_max,
        frame_commands_max: hello.frame_commands_max,
        lines_max: hello.lines_max,
        details_bytes_max: hello.details_bytes_max,
        code_bytes_max: hello.code_bytes_max,
        page_rows_max: hello.page_rows_max,
        hold_ms_max: hello.hold_ms_max,
        id_ahead_ms_max: hello.id_ahead_ms_max,
        zero: 0,
    };
    put(&mut frame, &fixed);
    close_frame(&mut frame, 0, 1);
    frame
}
