// One request and its answer: the bytes that its handler is shown, and what may end its handler early. Taken
// from the core's free ones when a head begins to arrive, given back behind the answer.
#pragma once

#include <trilith/app.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/request_reader.h"
#include "net/hangup_guard.h"
#include "net/socket.h"
#include "runtime/task.h"
#include "sdk/form.h"
#include "sdk/form_token.h"
#include "sdk/own_writes.h"
#include "sdk/program.h"
#include "sdk/response_head.h"
#include "sdk/router.h"

namespace trilith::sdk {

class DatabasePool;
class Worker;

class Exchange {
public:
    explicit Exchange(Worker& worker);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // ---- for the connection that serves it

    // Before the head is parsed.
    void open(net::Socket& socket, runtime::Fiber& fiber);
    // In the place of open() and begin(): a chore's, which nobody asked for and nobody can leave.
    void begin_chore(runtime::Fiber& fiber);
    // The head is whole: it lies at the beginning of `bytes` and is copied. `deadline` is the handler's.
    void begin(std::string_view bytes, core::Instant began);
    // Of the path in its normal form; empty, with a sentence in `refusal`, where it has none (400).
    [[nodiscard]] std::string_view normal_path(std::string_view& refusal);
    // Decodes the values of the match for the handler.
    [[nodiscard]] std::span<const std::string_view> decode_values(RouteMatch& match);
    // The handler has ended, or its stream: from here on nothing interrupts the fiber.
    void end_waits();
    // What streams gets Options::stream_time from now, and sends `head` with its first piece.
    void begin_stream(std::string_view head, BodyForm form);
    // The last chunk, and the head where no piece was written. 0 or -errno.
    [[nodiscard]] runtime::Task<ssize_t> end_stream();
    [[nodiscard]] bool has_sent() const { return has_sent_; }
    void close();

    // The request's line, where Options::has_access_log asks for it.
    void log_access(int status);

    // A send with the bounds of Options: body_time without progress, stream_time in all.
    template <size_t Count>
    [[nodiscard]] auto send(const std::array<std::string_view, Count>& parts);

    // ---- for what the handler calls

    [[nodiscard]] const Program& program() const;
    [[nodiscard]] std::string_view text_of(http::Slice slice) const { return slice.in(head_bytes_.data()); }
    [[nodiscard]] std::string_view id();
    [[nodiscard]] const Form& query();
    [[nodiscard]] const Form& form();
    [[nodiscard]] int64_t unix_time() const;
    void log(std::string_view event, Level level);

    // Ends early, and stopped() tells why, when the request is over.
    [[nodiscard]] runtime::Task<void> pause(core::Duration duration);
    [[nodiscard]] runtime::Task<void> write(std::string_view piece);
    // Around a wait of another kind. begin_wait(): false when the request is over; until end_wait() its end
    // interrupts the fiber.
    [[nodiscard]] runtime::Task<bool> begin_wait();
    void end_wait() { look(); }
    [[nodiscard]] DatabasePool& database(const DatabaseSettings& settings);
    [[nodiscard]] OwnWrites& own_writes() { return own_writes_; }
    [[nodiscard]] FormToken& form_token() { return form_token_; }
    void fill_random(std::span<std::byte> bytes) const;
    // False when the pool is full.
    [[nodiscard]] runtime::Task<bool> run_blocking(detail::BlockingJob& job);

    [[nodiscard]] Stopped stopped() const { return stopped_; }

    Request request;
    Writer writer;
    http::FieldTable fields;
    http::RequestHead head;
    Method method = Method::get;
    std::string_view path;
    std::string body;
    core::Instant began;

private:
    // Interrupts the fiber when its time is over.
    class Deadline final : public runtime::Timer {
    public:
        explicit Deadline(Exchange& exchange) : exchange_(exchange) {}

    private:
        void fire() override { exchange_.stop(Stopped::deadline); }

        Exchange& exchange_;
    };

    void stop(Stopped why);
    // Before a wait of the handler: false when the request is over. From the first one on, the client's
    // leaving and the deadline interrupt the fiber; a handler that never waits never pays for it.
    [[nodiscard]] bool may_wait();
    void look();
    [[nodiscard]] runtime::Task<void> send_head_alone();

    Worker& worker_;
    net::Socket* socket_ = nullptr;
    runtime::Fiber* fiber_ = nullptr;
    net::Buffer head_bytes_;
    std::array<char, 32> made_id_{};
    std::string_view id_;
    std::string path_bytes_;
    std::string value_bytes_;
    std::optional<Form> query_;
    std::optional<Form> form_;
    core::Instant deadline_;
    Deadline timer_;
    std::optional<net::HangupGuard> guard_;
    Stopped stopped_ = Stopped::no;
    std::string stream_head_;
    BodyForm stream_form_ = BodyForm::none;
    bool has_sent_ = false;
    OwnWrites own_writes_;
    FormToken form_token_;
};

}  // namespace trilith::sdk

#include "sdk/worker.h"

namespace trilith::sdk {

template <size_t Count>
auto Exchange::send(const std::array<std::string_view, Count>& parts) {
    has_sent_ = true;
    core::Instant now = worker_.now();
    net::SendAttempt<Count> attempt{*socket_, worker_.buffers(), parts, 0};
    attempt.limit = now + worker_.program().options.stream_time;
    return runtime::IoAttempt(
        worker_.reactor(),
        std::move(attempt),
        now + worker_.program().options.body_time
    );
}

}  // namespace trilith::sdk
