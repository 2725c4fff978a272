#include "sdk/exchange.h"

#include <algorithm>

#include "core/percent.h"
#include "http/chunked_writer.h"
#include "http/text.h"
#include "http/uri.h"
#include "runtime/blocking_pool.h"
#include "sdk/guard.h"
#include "sdk/public_access.h"

namespace trilith::sdk {

namespace {

constexpr size_t kIdBytesMax = 128;
// One send of a stream; what the socket does not take of it is copied.
constexpr size_t kPieceMax = 64 << 10;
// A body's memory is kept for the next request up to here.
constexpr size_t kKeptBodyMax = 64 << 10;

Method method_of(http::Method method) {
    switch (method) {
        case http::Method::head: return Method::head;
        case http::Method::post: return Method::post;
        case http::Method::put: return Method::put;
        case http::Method::patch: return Method::patch;
        case http::Method::delete_: return Method::delete_;
        case http::Method::options: return Method::options;
        default: return Method::get;  // others are refused before a handler sees them
    }
}

}  // namespace

Exchange::Exchange(Worker& worker)
    : request(PublicAccess::request(*this)),
      writer(PublicAccess::writer(*this)),
      fields(worker.program().options.fields_max),
      worker_(worker),
      timer_(*this) {}

Exchange::~Exchange() = default;

void Exchange::open(net::Socket& socket, runtime::Fiber& fiber) {
    socket_ = &socket;
    fiber_ = &fiber;
}

void Exchange::begin(std::string_view bytes, core::Instant began_at) {
    head_bytes_ = worker_.buffers().take(bytes.size());
    std::ranges::copy(bytes, head_bytes_.data());
    began = began_at;
    deadline_ = began + worker_.program().options.handler_time;
    method = method_of(head.method);
}

void Exchange::begin_chore(runtime::Fiber& fiber) {
    fiber_ = &fiber;
    fields.clear();
    head = {};
    began = worker_.now();
    deadline_ = began + worker_.program().options.handler_time;
}

void Exchange::close() {
    end_waits();
    head_bytes_.release();
    if (body.capacity() > kKeptBodyMax) {
        body = {};
    }
    body.clear();
    id_ = {};
    path = {};
    query_.reset();
    form_.reset();
    stream_head_.clear();
    stream_form_ = BodyForm::none;
    stopped_ = Stopped::no;
    has_sent_ = false;
    own_writes_.clear();
    form_token_.clear();
    socket_ = nullptr;
}

std::string_view Exchange::normal_path(std::string_view& refusal) {
    std::string_view raw = text_of(head.path);
    path_bytes_.resize(std::max<size_t>(raw.size(), 1));
    http::PathResult result = http::normalize_path(raw, path_bytes_);
    if (result.outcome == http::PathOutcome::refused) {
        refusal = result.reason;
        return {};
    }
    return result.path;
}

std::span<const std::string_view> Exchange::decode_values(RouteMatch& match) {
    auto values = std::span(match.values).first(match.count);
    size_t total = 0;
    for (std::string_view value : values) {
        total += value.contains('%') ? value.size() : 0;
    }
    value_bytes_.resize(total);
    char* free = value_bytes_.data();
    for (std::string_view& value : values) {
        if (value.contains('%')) {
            char* end = core::decode_percent(value, core::Plus::plus, free);
            value = std::string_view(free, end);
            free = end;
        }
    }
    return values;
}

const Program& Exchange::program() const { return worker_.program(); }

std::string_view Exchange::id() {
    if (id_.empty()) {
        const http::Field* field = fields.find(http::FieldId::x_request_id);
        std::string_view given = field == nullptr ? std::string_view() : text_of(field->value);
        bool is_usable =
            !given.empty() && given.size() <= kIdBytesMax && http::all_of(given, http::kTokenByte);
        if (!is_usable) {
            worker_.write_request_id(made_id_);
            given = {made_id_.data(), made_id_.size()};
        }
        id_ = given;
    }
    return id_;
}

const Form& Exchange::query() {
    if (!query_) {
        auto read = Form::read(text_of(head.query));
        if (!read) {
            raise_refused(400, read.error().context());
        }
        query_ = *std::move(read);
    }
    return *query_;
}

const Form& Exchange::form() {
    if (!form_) {
        const http::Field* field = fields.find(http::FieldId::content_type);
        std::string_view type = field == nullptr ? std::string_view() : text_of(field->value);
        type = http::trim(type.substr(0, type.find(';')));
        bool is_form = http::equals_ignoring_case(type, "application/x-www-form-urlencoded");
        auto read = Form::read(is_form ? std::string_view(body) : std::string_view());
        if (!read) {
            raise_refused(400, read.error().context());
        }
        form_ = *std::move(read);
    }
    return *form_;
}

int64_t Exchange::unix_time() const {
    return worker_.reactor().os().wall_time().since_epoch / std::chrono::seconds(1);
}

void Exchange::fill_random(std::span<std::byte> bytes) const { worker_.reactor().os().fill_random(bytes); }

void Exchange::log(std::string_view event, Level level) {
    core::Log& log = worker_.log();
    core::LogField field{.key = "request_id", .value = std::string(id())};
    switch (level) {
        case Level::info: log.info("app", event, {field}); break;
        case Level::warn: log.warn("app", event, {field}); break;
        case Level::error: log.error("app", event, {field}); break;
    }
}

void Exchange::log_access(int status) {
    if (!program().options.has_access_log) {
        return;
    }
    auto time = std::chrono::duration_cast<std::chrono::microseconds>(worker_.now() - began);
    worker_.log().info(
        "app",
        "request",
        {{.key = "request_id", .value = std::string(id())},
         {.key = "method", .value = std::string(http::method_name(head.method))},
         {.key = "path", .value = std::string(path)},
         {.key = "status", .value = std::to_string(status)},
         {.key = "us", .value = std::to_string(time.count())}}
    );
}

void Exchange::stop(Stopped why) {
    stopped_ = why;
    fiber_->interrupt();
}

void Exchange::look() {
    if (stopped_ != Stopped::no) {
        return;
    }
    if (fiber_->is_stopped) {
        stopped_ = Stopped::shutdown;
    } else if (guard_ && guard_->has_fired()) {
        stopped_ = Stopped::client_left;
    } else if (worker_.now() >= deadline_) {
        stopped_ = Stopped::deadline;
    }
}

bool Exchange::may_wait() {
    if (!guard_ && socket_ != nullptr) {
        guard_.emplace(*socket_, *fiber_);
    }
    look();
    if (stopped_ == Stopped::no && !timer_.is_pending()) {
        worker_.reactor().timers().add(timer_, deadline_);
    }
    return stopped_ == Stopped::no;
}

void Exchange::end_waits() {
    guard_.reset();
    worker_.reactor().timers().remove(timer_);
}

runtime::Task<void> Exchange::pause(core::Duration duration) {
    if (!stream_head_.empty()) {
        co_await send_head_alone();
    }
    if (!may_wait()) {
        co_return;
    }
    if (duration > core::Duration::zero()) {
        [[maybe_unused]] auto outcome = co_await worker_.reactor().sleep_for(duration);
    } else {
        [[maybe_unused]] auto outcome = co_await worker_.reactor().yield();
    }
    look();
}

runtime::Task<bool> Exchange::begin_wait() {
    if (!stream_head_.empty()) {
        co_await send_head_alone();
    }
    co_return may_wait();
}

DatabasePool& Exchange::database(const DatabaseSettings& settings) { return worker_.database(settings); }

runtime::Task<bool> Exchange::run_blocking(detail::BlockingJob& job) {
    bool may_begin = co_await begin_wait();
    if (!may_begin) {
        co_return true;
    }
    auto call = [&job] { job.run(); };
    using Wait = runtime::BlockingWait<decltype(call)>;
    auto end = co_await Wait(worker_.reactor(), worker_.blocking(), call);
    look();
    co_return end != Wait::End::pool_is_full;
}

void Exchange::begin_stream(std::string_view stream_head, BodyForm form) {
    worker_.reactor().timers().remove(timer_);
    deadline_ = worker_.now() + worker_.program().options.stream_time;
    stream_head_ = stream_head;
    stream_form_ = form;
    has_sent_ = false;  // a 100 Continue is no part of the answer
}

runtime::Task<void> Exchange::send_head_alone() { co_await write({}); }

// An empty piece sends the head, where it is still to be sent.
runtime::Task<void> Exchange::write(std::string_view piece) {
    while (!piece.empty() || !stream_head_.empty()) {
        if (!may_wait()) {
            co_return;
        }
        std::string_view part = piece.substr(0, kPieceMax);
        piece.remove_prefix(part.size());
        std::string stream_head = std::exchange(stream_head_, {});
        http::ChunkSizeLine line;
        bool is_chunk = stream_form_ == BodyForm::chunked && !part.empty();
        ssize_t sent = co_await send(std::array<std::string_view, 4>{
            stream_head,
            is_chunk ? http::write_chunk_size(part.size(), line) : std::string_view(),
            part,
            is_chunk ? http::kChunkEnd : std::string_view(),
        });
        look();
        if (sent < 0 && stopped_ == Stopped::no) {
            stopped_ = Stopped::client_left;  // reset, or it took nothing for body_time
        }
        if (stopped_ != Stopped::no) {
            co_return;
        }
    }
}

runtime::Task<ssize_t> Exchange::end_stream() {
    std::string stream_head = std::exchange(stream_head_, {});
    bool is_chunked = stream_form_ == BodyForm::chunked;
    co_return co_await send(std::array<std::string_view, 2>{
        stream_head,
        is_chunked ? std::string_view("0\r\n\r\n") : std::string_view()
    });
}

}  // namespace trilith::sdk
