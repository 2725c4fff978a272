#include "balancer/request_upload.h"

#include <array>
#include <cerrno>

#include "balancer/worker.h"
#include "http/chunked_writer.h"

namespace balancer {

namespace {

void finish(Upload& upload, UploadState state, std::string_view reason) {
    upload.state = state;
    upload.reason = reason;
    if (upload.relaying != nullptr) {
        upload.relaying->interrupt();
    }
}

}  // namespace

bool is_body_over_bound(const Exchange& exchange) {
    uint64_t body_max = exchange.snapshot.config.limits.body;
    return body_max != 0 && exchange.bytes_in + exchange.body.announced() > body_max;
}

std::optional<UploadEnd> failed_upload(const Upload* upload) {
    if (upload == nullptr) {
        return std::nullopt;
    }
    switch (upload->state) {
        case UploadState::client_gone: return UploadEnd{0, Ended::client_gone};
        case UploadState::client_timeout: return UploadEnd{408, Ended::client_timeout};
        case UploadState::malformed: return UploadEnd{400, Ended::refused};
        case UploadState::too_large: return UploadEnd{413, Ended::refused};
        default: return std::nullopt;
    }
}

runtime::Task<void> upload_body(Exchange& exchange, BackendConnection& backend, Upload& upload) {
    Client& client = exchange.client;
    const TimeoutConfig& timeouts = exchange.snapshot.config.timeouts;
    exchange.is_body_held = false;
    bool is_chunked = exchange.body.kind() == http::FramingKind::chunked;
    while (!exchange.body.is_done()) {
        if (client.buffer.is_empty()) {
            ssize_t received =
                co_await client.socket.receive(client.buffer, exchange.worker.now() + timeouts.body);
            if (received == -ECANCELED) {
                upload.state = UploadState::stopped;
                co_return;
            }
            if (received == -ETIMEDOUT) {
                co_return finish(
                    upload,
                    UploadState::client_timeout,
                    "the request's body did not come in time"
                );
            }
            if (received <= 0) {
                co_return finish(
                    upload,
                    UploadState::client_gone,
                    "the client left before its request was complete"
                );
            }
        }
        http::BodyPiece piece = exchange.body.next(client.buffer);
        exchange.bytes_in += piece.data.size();
        if (!piece.refused.empty()) {
            co_return finish(upload, UploadState::malformed, piece.refused);
        }
        if (is_body_over_bound(exchange)) {
            co_return finish(
                upload,
                UploadState::too_large,
                "the request body is larger than balancer.limits.body allows"
            );
        }
        http::ChunkSizeLine size_line;
        std::string_view size = is_chunked && !piece.data.empty()
                                    ? http::write_chunk_size(piece.data.size(), size_line)
                                    : std::string_view{};
        std::string tail = is_chunked ? http::chunk_tail(exchange.body, piece.data) : std::string{};
        std::array<std::string_view, 3> parts{size, piece.data, tail};
        core::Instant deadline = exchange.worker.now() + timeouts.body;
        ssize_t sent =
            co_await backend.socket
                .send_from(client.buffer, piece.consumed, exchange.worker.buffers(), parts, deadline);
        if (sent == -ECANCELED) {
            upload.state = UploadState::stopped;
            co_return;
        }
        if (sent < 0) {
            co_return finish(upload, UploadState::backend_lost, "the backend takes no more of the request");
        }
        exchange.backend->counters.bytes_out.add(piece.consumed);
    }
    finish(upload, UploadState::done, {});
}

}  // namespace balancer
