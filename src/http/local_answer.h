// How a request is answered inside this process: what a handler is told of the request, and the answer that
// it describes. Whoever has the client's connection writes the head and sends the body.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.h"
#include "http/head.h"
#include "http/method.h"

namespace http {

// Valid during the call of the handler alone.
struct LocalRequest {
    Method method = Method::other;
    std::string_view path;   // normalised (http::normalize_path), still escaped
    std::string_view query;  // behind the "?", as it came; empty where there is none
    const FieldTable& fields;
    const char* base;  // what the slices of `fields` refer to
    core::Instant now;

    // The value of a field's first line; empty where there is none.
    [[nodiscard]] std::string_view value(FieldId id) const {
        const Field* field = fields.find(id);
        return field == nullptr ? std::string_view{} : field->value.in(base);
    }
};

// A piece of a body, sent in order.
struct BodyPart {
    enum class Kind : uint8_t {
        made,    // LocalAnswer::made_body
        shared,  // LocalAnswer::shared_body
        file,    // LocalAnswer::file
    };
    Kind kind;
    uint64_t offset;
    uint64_t length;
};

// A file whose bytes are sent, and what it must still be while they are. Whoever sends it copies them, looks
// again before the last of them leave, and does not finish one that was written to meanwhile: a client that
// has all of Content-Length has one version, unless `shares_pages` (docs/decisions/0015).
struct SentFile {
    int descriptor = -1;        // kept open by LocalAnswer::owner
    uint64_t size = 0;          // when it was opened
    int64_t modified_ns = 0;    // mtime then; not ctime, which a rename, a link or new rights change as well
    bool* is_stale = nullptr;   // set by the sender that found it changed, or could not read it; kept by
                                // LocalAnswer::owner
    std::string_view name{};    // below the root, for the log; kept by the same
    bool shares_pages = false;  // sendfile(2) may be used: nobody writes to a file that is served
};

struct LocalAnswer {
    uint16_t status = 0;
    // Header fields, each with its CRLF, Content-Length included where there is one; Date, Connection and
    // X-Request-Id are the sender's.
    std::string_view shared_fields;  // in memory that `owner` keeps
    std::string made_fields;
    // The body; for HEAD it is described all the same and not sent.
    std::string_view shared_body;  // in memory that `owner` keeps
    std::string made_body;
    SentFile file;
    std::vector<BodyPart> parts;  // empty: shared_body alone
    std::shared_ptr<const void> owner;
};

enum class LocalOutcome : uint8_t {
    answered,  // LocalAnswer holds it
    refused,   // a status with a text of the sender's: LocalAnswer::status, and made_fields (Allow)
    passed,    // not for this handler: the request goes on to the pool of its route
};

struct LocalVerdict {
    LocalOutcome outcome = LocalOutcome::passed;
    std::string_view reason{};  // refused: one static sentence
};

// Lives on one core. May make short system calls on files, never waits for a peer.
class LocalHandler {
public:
    virtual ~LocalHandler() = default;

    [[nodiscard]] virtual LocalVerdict handle(const LocalRequest& request, LocalAnswer& answer) = 0;

    // Describes, in an empty `answer`, the page of an error that befell a request which was passed on, with
    // that status; header fields of the error itself are the sender's to add. False: there is no page, and
    // the sender says it in its own words.
    [[nodiscard]] virtual bool describe_error(
        [[maybe_unused]] uint16_t status,
        [[maybe_unused]] core::Instant now,
        [[maybe_unused]] LocalAnswer& answer
    ) {
        return false;
    }

    // A file that it has described could not be read: `code` is an errno value. To be logged here, once.
    virtual void note_unreadable(
        [[maybe_unused]] const SentFile& file,
        [[maybe_unused]] int code,
        [[maybe_unused]] core::Instant now
    ) {}

    // The process has no descriptor left: gives back those that are only kept for later.
    virtual void release_descriptors() {}
};

// Makes a core's handler; immutable, shared by all cores. While the same maker is configured, a core keeps
// its handler and what that has cached.
class LocalHandlerMaker {
public:
    virtual ~LocalHandlerMaker() = default;

    [[nodiscard]] virtual std::unique_ptr<LocalHandler> make() const = 0;
};

}  // namespace http
