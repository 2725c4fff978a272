// Asks a site of a test as a client would: with the text of a request head, read by the reader that reads
// clients'.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.h"
#include "core/panic.h"
#include "http/request_reader.h"
#include "http/uri.h"
#include "runtime/file.h"
#include "web/site.h"

namespace web {

// Cache bounds in bytes: a small file is held as bytes, or as an open file. Both answer alike.
inline constexpr uint64_t kMemoryBounds[] = {64 << 10, 0};

struct Reply {
    http::LocalOutcome outcome = http::LocalOutcome::passed;
    uint16_t status = 0;
    std::string fields = {};
    std::string body = {};
    std::string reason = {};

    // The value of a field, "" where it is not there.
    [[nodiscard]] std::string operator[](std::string_view name) const {
        const std::string line = "\r\n" + std::string(name) + ": ";
        const std::string all = "\r\n" + fields;
        const size_t at = all.find(line);
        if (at == std::string::npos) {
            return {};
        }
        const size_t begin = at + line.size();
        return all.substr(begin, all.find("\r\n", begin) - begin);
    }
};

class SiteClient {
public:
    explicit SiteClient(Config config)
        : log_([] { return core::WallTime{}; }, [this](std::string_view line) { log_text_ += line; }),
          site_(std::move(config), log_, 1) {}

    SiteClient(const SiteClient&) = delete;
    SiteClient& operator=(const SiteClient&) = delete;

    // Of a path with its query, and further lines, each with its CRLF.
    Reply get(std::string_view target, std::string_view lines = {}) { return ask("GET", target, lines); }

    Reply ask(std::string_view method, std::string_view target, std::string_view lines = {}) {
        const std::string text = std::string(method) + " " + std::string(target) +
                                 " HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n";
        http::HeadProgress progress;
        http::RequestHead head;
        const auto result = http::parse_request_head(
            text,
            {.uri_max = 32 << 10, .head_max = 48 << 10},
            progress,
            fields_,
            head
        );
        if (result.outcome != http::HeadOutcome::complete) {
            return {.outcome = http::LocalOutcome::refused, .status = 400};
        }
        std::vector<char> target_bytes(head.path.length);
        const http::PathResult path = http::normalize_path(head.path.in(text.data()), target_bytes);
        if (path.outcome == http::PathOutcome::refused) {
            return {.outcome = http::LocalOutcome::refused, .status = 400};
        }
        return handle({
            .method = head.method,
            .path = path.path,
            .query = head.query.in(text.data()),
            .fields = fields_,
            .base = text.data(),
            .now = now_,
        });
    }

    // A path that no reader and no normalisation has seen.
    Reply get_raw(std::string_view path) {
        fields_.clear();
        return handle({
            .method = http::Method::get,
            .path = path,
            .query = {},
            .fields = fields_,
            .base = nullptr,
            .now = now_,
        });
    }

    void advance(core::Duration duration) { now_ = now_ + duration; }

    [[nodiscard]] const std::string& log_text() const { return log_text_; }

    // Of the last request; it is filled again by the next.
    [[nodiscard]] http::LocalAnswer& answer() { return answer_; }

    // What a client would have received of a body.
    [[nodiscard]] static std::string body_of(const http::LocalAnswer& answer) {
        if (answer.parts.empty()) {
            return std::string(answer.shared_body);
        }
        std::string body;
        for (const http::BodyPart& part : answer.parts) {
            switch (part.kind) {
                case http::BodyPart::Kind::made:
                    body += std::string_view(answer.made_body).substr(part.offset, part.length);
                    break;
                case http::BodyPart::Kind::shared:
                    body += answer.shared_body.substr(part.offset, part.length);
                    break;
                case http::BodyPart::Kind::file: {
                    std::string bytes(part.length, '\0');
                    const ssize_t length = runtime::read_file_at(answer.file.descriptor, bytes, part.offset);
                    ASSERT(length >= 0);
                    bytes.resize(static_cast<size_t>(length));
                    body += bytes;
                    break;
                }
            }
        }
        return body;
    }

private:
    Reply handle(const http::LocalRequest& request) {
        const http::LocalVerdict verdict = site_.handle(request, answer_);
        return {
            .outcome = verdict.outcome,
            .status = answer_.status,
            .fields = std::string(answer_.shared_fields) + answer_.made_fields,
            .body = body_of(answer_),
            .reason = std::string(verdict.reason),
        };
    }

    std::string log_text_;
    core::Log log_;
    Site site_;
    http::FieldTable fields_{100};
    http::LocalAnswer answer_;
    core::Instant now_{std::chrono::hours(1)};
};

}  // namespace web
