#include "sdk/connection.h"

#include <algorithm>
#include <cerrno>

#include "sdk/public_task.h"
#include "sdk/worker.h"

namespace trilith::sdk {

namespace {

// After an answer to a request that was not read to its end: how long, and how many bytes, we read on so that
// the client gets the answer before a reset overtakes it (RFC 9112 section 9.6).
constexpr core::Duration kLingerTime = std::chrono::seconds(2);
constexpr size_t kLingerBytes = 1 << 20;
// Then others have their turn: a client that pipelines would never wait.
constexpr size_t kPipelinedPerTurn = 8;
// A body up to here goes behind its head into one piece of memory; a longer one into a second part of the
// send.
constexpr size_t kCopiedBodyMax = 8 << 10;
// Of a longer body, what one send is given at most.
constexpr size_t kSentAtOnceMax = 64 << 10;

bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

Connection::Connection(Worker& worker, int fd)
    : worker_(worker),
      socket_(worker.reactor(), fd),
      buffer_(worker.shared_buffer()),
      wait_began_(worker.now()) {
    worker_.enlist(*this);
}

Connection::~Connection() {
    if (exchange_ != nullptr) {
        worker_.give_back(std::move(exchange_));
    }
    worker_.delist(*this);
}

void Connection::stop_if_idle(bool is_last_call) {
    bool is_idle = !is_serving_ && buffer_.is_empty() && socket_.peek() != net::Peek::has_bytes;
    if (is_idle && (!is_first_ || is_last_call)) {
        fiber_->request_stop();
    }
}

http::HeadResult Connection::parse() {
    if (buffer_.is_empty()) {
        return http::HeadResult::need_more();
    }
    if (exchange_ == nullptr) {
        exchange_ = worker_.take_exchange();
    }
    const Options& options = worker_.program().options;
    http::HeadResult result = http::parse_request_head(
        buffer_.bytes().substr(0, options.head_max + 1),
        {.uri_max = options.head_max, .head_max = options.head_max, .fields_max = options.fields_max},
        progress_,
        exchange_->fields,
        exchange_->head
    );
    if (result.outcome == http::HeadOutcome::need_more) {
        worker_.give_back(std::move(exchange_));
    }
    return result;
}

// The first request must come as soon as a head must be complete; later ones may keep an idle connection
// waiting.
core::Instant Connection::read_deadline() const {
    const Options& options = worker_.program().options;
    if (!head_began_.is_never()) {
        return head_began_ + options.head_time;
    }
    return wait_began_ + (is_first_ ? options.head_time : options.idle_time);
}

runtime::Task<void> Connection::serve() {
    fiber_ = &co_await runtime::CurrentFiber{};
    size_t pipelined = 0;
    for (;;) {
        progress_ = {};
        wait_began_ = worker_.now();
        head_began_ = buffer_.is_empty() ? core::Instant::never() : worker_.now();
        http::HeadResult head = parse();
        while (head.outcome == http::HeadOutcome::need_more) {
            ssize_t received = co_await socket_.receive(buffer_, read_deadline());
            if (received <= 0) {
                if (received == -ETIMEDOUT && !buffer_.is_empty()) {
                    exchange_ = worker_.take_exchange();
                    head = http::HeadResult::refused(408, "the request's head did not come in time");
                    break;
                }
                co_return;  // gone, idle for too long, or the program stops
            }
            if (head_began_.is_never()) {
                head_began_ = worker_.now();
            }
            head = parse();
        }
        is_serving_ = true;
        exchange_->open(socket_, *fiber_);
        Next next = head.outcome == http::HeadOutcome::refused ? co_await refuse_head(head)
                                                               : co_await serve_request(head.length);
        worker_.give_back(std::move(exchange_));
        is_serving_ = false;
        is_first_ = false;
        if (next == Next::close) {
            // Unread bytes would turn the close into a reset, which can overtake the answer.
            needs_linger_ = needs_linger_ || !buffer_.is_empty() || !socket_.is_quiet();
            break;
        }
        if (!buffer_.is_empty() && ++pipelined % kPipelinedPerTurn == 0) {
            co_await worker_.reactor().yield();
        }
    }
    if (needs_linger_) {
        co_await linger();
    }
}

// A head that could not be understood: where it ends is not known.
runtime::Task<Connection::Next> Connection::refuse_head(http::HeadResult refused) {
    exchange_->fields.clear();
    exchange_->head = {};
    exchange_->method = Method::get;
    exchange_->began = worker_.now();
    Response response = answer_of({.status = refused.status, .reason = refused.reason});
    buffer_.clear();
    needs_linger_ = refused.status != 408;
    [[maybe_unused]] ssize_t sent = co_await send_response(response, Next::close);
    exchange_->log_access(refused.status);
    co_return Next::close;
}

Refusal Connection::find_route(RouteMatch& match) {
    Exchange& exchange = *exchange_;
    http::Method method = exchange.head.method;
    if (method == http::Method::connect || method == http::Method::trace || method == http::Method::other) {
        // What follows a CONNECT is not meant for us.
        return {.status = 501, .reason = "this method is not served here", .must_close = true};
    }
    if (exchange.head.form == http::TargetForm::asterisk) {
        return {.status = 204};  // OPTIONS *
    }
    std::string_view refusal;
    exchange.path = exchange.normal_path(refusal);
    if (!refusal.empty()) {
        return {.status = 400, .reason = refusal};
    }
    match = worker_.program().router.find(exchange.method, exchange.path);
    if (match.handler != nullptr) {
        return {};
    }
    if (match.methods == 0) {
        return {.status = 404, .reason = "there is nothing at this path"};
    }
    if (exchange.method == Method::options) {
        return {.status = 204};
    }
    return {.status = 405, .reason = "this path has other methods"};
}

// What is here of the body.
Refusal Connection::take_body(http::BodyReader& reader) {
    uint64_t body_max = worker_.program().options.body_max;
    while (!reader.is_done()) {
        http::BodyPiece piece = reader.next(buffer_);
        if (!piece.refused.empty()) {
            return {.status = 400, .reason = piece.refused, .must_close = true};
        }
        if (exchange_->body.size() + piece.data.size() > body_max) {
            return {.status = 413, .reason = "the body is too large", .must_close = true};
        }
        exchange_->body += piece.data;
        if (piece.consumed == 0) {
            break;
        }
        buffer_.consume(piece.consumed);
    }
    return {};
}

runtime::Task<Refusal> Connection::read_body(http::BodyReader& reader) {
    Exchange& exchange = *exchange_;
    const Options& options = worker_.program().options;
    core::Instant deadline = worker_.now() + options.body_time;
    Refusal refusal = take_body(reader);
    if (!reader.is_done() && refusal.status == 0 && exchange.head.expects_continue) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        if (co_await exchange.send(std::array{kContinue}) < 0) {
            co_return Refusal{.status = 408, .reason = "the client left", .must_close = true};
        }
    }
    while (!reader.is_done() && refusal.status == 0) {
        ssize_t received = co_await socket_.receive(buffer_, deadline);
        if (received <= 0) {
            co_return Refusal{
                .status = 408,
                .reason = "the request's body did not come in time",
                .must_close = true
            };
        }
        refusal = take_body(reader);
    }
    co_return refusal;
}

runtime::Task<Connection::Next> Connection::serve_request(uint32_t head_length) {
    Exchange& exchange = *exchange_;
    exchange.begin(buffer_.bytes().substr(0, head_length), head_began_);
    buffer_.consume(head_length);
    http::BodyReader reader(exchange.head.framing);
    RouteMatch match;
    Refusal refusal = find_route(match);
    if (refusal.status == 0 && exchange.head.framing.kind == http::FramingKind::length &&
        exchange.head.framing.length > worker_.program().options.body_max) {
        refusal = {.status = 413, .reason = "the body is too large"};
    }
    if (!reader.is_done()) {
        if (refusal.status == 0) {
            refusal = co_await read_body(reader);
        } else {
            Refusal read = take_body(reader);  // so that the connection may stay, where all of it is here
            refusal.must_close = refusal.must_close || read.status != 0;
        }
    }
    Response response;
    Task<Response> running;
    HandlerEnd end;
    if (refusal.status == 0) {
        StartedHandler handler =
            start_handler(*match.handler, exchange.request, exchange.decode_values(match), response, running);
        end = std::move(handler.end);
        if (handler.started == detail::Started::mismatched) {
            refusal = {.status = 404, .reason = "there is nothing at this path"};
        } else if (handler.started == detail::Started::running) {
            co_await RunToEnd(running);
            auto& promise = PublicAccess::frame(running).promise();
            end = judge(promise.error);
            if (end.fault == Fault::none) {
                response = *std::move(promise.value);
            }
            running = {};  // what the handler held is free before the answer is on its way
        }
    }
    exchange.end_waits();
    if (refusal.status != 0) {
        response = answer_of(refusal, match.methods);
    } else if (end.fault != Fault::none) {
        response = answer_of(end);
    }
    exchange.own_writes().add_cookies(response, exchange.request);
    exchange.form_token().add_cookie(response, exchange.request);
    if (exchange.stopped() == Stopped::client_left) {
        co_return Next::close;
    }
    bool must_close = refusal.must_close || !reader.is_done() || worker_.is_stopping() ||
                      exchange.head.keep_alive == http::KeepAlive::close;
    Next next = must_close ? Next::close : Next::keep;
    needs_linger_ = !reader.is_done();
    if (PublicAccess::stream(response) != nullptr && exchange.method != Method::head) {
        co_return co_await run_stream(response, next);
    }
    ssize_t sent = co_await send_response(response, next);
    exchange_->log_access(PublicAccess::status(response));
    co_return sent < 0 ? Next::close : next;
}

Response Connection::answer_of(const Refusal& refusal, uint8_t methods) {
    return make_own_answer(refusal, exchange_->id(), methods);
}

Response Connection::answer_of(const HandlerEnd& end) {
    switch (end.fault) {
        case Fault::none: break;
        case Fault::refused: {
            int status = end.status >= 400 && end.status <= 599 ? end.status : 500;
            return answer_of({.status = status, .reason = end.text});
        }
        case Fault::cancelled: {
            bool is_late = exchange_->stopped() == Stopped::deadline;
            std::string_view reason = is_late ? "the answer was not ready in time" : "the program stops";
            return answer_of({.status = 503, .reason = reason});
        }
        case Fault::unavailable:
            exchange_->log("the database is not available: " + end.text, Level::warn);
            return answer_of({.status = 503, .reason = "the database is not available"});
        case Fault::is_error:
            exchange_->log("a handler failed: " + end.text, Level::error);
            return answer_of({.status = 500, .reason = "something went wrong here"});
    }
    return {};
}

ResponseHead Connection::head_of(const Response& response, Next next) const {
    int status = PublicAccess::status(response);
    return {
        .status = status,
        .date = worker_.date(),
        .content_type = has_no_body(status) ? std::string_view() : PublicAccess::content_type(response),
        .fields = PublicAccess::fields(response),
        .body = has_no_body(status) ? BodyForm::none : BodyForm::length,
        .length = PublicAccess::body(response).size(),
        .must_close = next == Next::close,
        .is_old_client = exchange_->head.version_minor == 0,
    };
}

runtime::Task<ssize_t> Connection::send_response(const Response& response, Next next) {
    ResponseHead head = head_of(response, next);
    std::string_view body = PublicAccess::body(response);
    if (exchange_->method == Method::head &&
        PublicAccess::stream(const_cast<Response&>(response)) != nullptr) {
        head.body = BodyForm::none;
    }
    bool has_body = exchange_->method != Method::head && head.body != BodyForm::none;
    body = has_body ? body : std::string_view();
    std::span<char> scratch = worker_.scratch();
    size_t size = write_response_head(head, scratch);
    std::string_view written(scratch.data(), size);
    if (body.size() > kCopiedBodyMax) {
        co_return co_await send_large(written, body);
    }
    std::ranges::copy(body, scratch.data() + size);
    co_return co_await exchange_->send(std::array{std::string_view(scratch.data(), size + body.size())});
}

runtime::Task<ssize_t> Connection::send_large(std::string_view head, std::string_view body) {
    std::string_view part = body.substr(0, kSentAtOnceMax - 1024);
    ssize_t sent = co_await exchange_->send(std::array{head, part});
    for (body.remove_prefix(part.size()); sent >= 0 && !body.empty(); body.remove_prefix(part.size())) {
        part = body.substr(0, kSentAtOnceMax);
        sent = co_await exchange_->send(std::array{part});
    }
    co_return sent;
}

runtime::Task<Connection::Next> Connection::run_stream(Response& response, Next next) {
    Exchange& exchange = *exchange_;
    ResponseHead head = head_of(response, next);
    if (head.body != BodyForm::none) {
        head.body = exchange.head.version_minor == 0 ? BodyForm::until_close : BodyForm::chunked;
    }
    head.must_close = head.must_close || head.body == BodyForm::until_close;
    next = head.must_close ? Next::close : next;
    size_t size = write_response_head(head, worker_.scratch());
    exchange.begin_stream({worker_.scratch().data(), size}, head.body);
    Task<void> running;
    HandlerEnd end = start_stream(*PublicAccess::stream(response), exchange.writer, running);
    if (end.fault == Fault::none && head.body != BodyForm::none) {
        co_await RunToEnd(running);
        end = judge(PublicAccess::frame(running).promise().error);
    }
    exchange.end_waits();
    if (end.fault != Fault::none && !exchange.has_sent()) {
        Response instead = answer_of(end);
        [[maybe_unused]] ssize_t sent = co_await send_response(instead, Next::close);
        co_return Next::close;
    }
    if (end.fault == Fault::is_error || end.fault == Fault::unavailable) {
        exchange.log("a stream broke off: " + end.text, Level::error);
    }
    exchange_->log_access(head.status);
    if (end.fault != Fault::none) {
        // Without its last chunk the client knows that something is missing; one of HTTP/1.0 needs the reset.
        socket_.reset_on_close();
        needs_linger_ = false;
        socket_.close();
        co_return Next::close;
    }
    ssize_t sent = co_await exchange.end_stream();
    co_return sent < 0 ? Next::close : next;
}

runtime::Task<void> Connection::linger() {
    if (!socket_.is_open()) {
        co_return;
    }
    socket_.shutdown_write();
    core::Instant deadline = worker_.now() + kLingerTime;
    size_t total = 0;
    while (total < kLingerBytes) {
        buffer_.clear();
        ssize_t received = co_await socket_.receive(buffer_, deadline);
        if (received <= 0) {
            break;
        }
        total += static_cast<size_t>(received);
    }
}

}  // namespace trilith::sdk
