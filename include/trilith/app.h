// trilith::app: a site's own program. This one header is all that a program includes; it links
// libtrilith_app.a and libcrypto (in CMake: find_package(TrilithApp), target Trilith::app; C++23, clang with
// libc++).
//
//     #include <trilith/app.h>
//
//     trilith::Response hello(trilith::Request&) { return trilith::Response::text("Hello\n"); }
//
//     trilith::Task<trilith::Response> wait(trilith::Request& request, int64_t seconds) {
//         co_await request.sleep_for(std::chrono::seconds(seconds));
//         co_return trilith::Response::json({{"waited", seconds}});
//     }
//
//     int main(int argc, char** argv) {
//         trilith::App app;
//         app.get("/", hello);
//         app.get("/wait/{seconds:int}", wait);
//         return app.run(argc, argv);
//     }
//
// What holds everywhere:
// - A handler is a plain function that gives a Response, or a coroutine that gives a Task<Response>. All
// handlers of
//   one connection run on one thread; with Options::threads = 1, the default, so do all handlers.
// - A handler must not block its thread: what blocks belongs into Request::blocking().
// - What a handler throws becomes an answer: Refused its own, anything else a 500 with the request's id.
// - Text that a Request gives out is valid until its answer, and a stream it may be, has ended.
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace trilith {

class Database;

namespace app = ::trilith;  // the library's name, for who prefers to write it

namespace sdk {  // what is inside; never complete here
class Exchange;
struct Program;
struct PublicAccess;
}  // namespace sdk

// ----------------------------------------------------------------------------------------------------
// exceptions

// Thrown by an await whose request is over: its client has left, its deadline has passed, or the program
// stops. Let it through: the handler unwinds, and nothing is logged. After a deadline the client gets a 503.
class Cancelled : public std::exception {
public:
    [[nodiscard]] const char* what() const noexcept override { return "the request is over"; }
};

// An answer from anywhere below a handler: `throw trilith::Refused(404, "no such user")`. The reason is shown
// to the client, as text, and not logged.
class Refused : public std::exception {
public:
    // `status`: 400 to 599.
    Refused(int status, std::string reason) : status_(status), reason_(std::move(reason)) {}

    [[nodiscard]] int status() const noexcept { return status_; }
    [[nodiscard]] const char* what() const noexcept override { return reason_.c_str(); }

private:
    int status_;
    std::string reason_;
};

// ---------------------------------------------------------------------------------------------------------
// tasks

namespace detail {

// Frames lie in free lists of their thread: a handler's coroutine allocates nothing after the first few.
[[nodiscard]] void* allocate_frame(std::size_t size);
void free_frame(void* frame, std::size_t size) noexcept;

struct PromiseBase {
    std::coroutine_handle<> awaiting;
    void* fiber = nullptr;  // the library's
    std::exception_ptr error;

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* frame, std::size_t size) noexcept { free_frame(frame, size); }

    struct FinalAwaiter {
        static bool await_ready() noexcept { return false; }

        template <class Promise>
        static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
            return ended.promise().awaiting;
        }

        static void await_resume() noexcept {}
    };

    static std::suspend_always initial_suspend() noexcept { return {}; }
    static FinalAwaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }

    void rethrow() {
        if (error) {
            std::rethrow_exception(std::exchange(error, nullptr));
        }
    }
};

template <class T>
struct Promise : PromiseBase {
    std::optional<T> value;

    std::coroutine_handle<Promise> get_return_object() noexcept {
        return std::coroutine_handle<Promise>::from_promise(*this);
    }

    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }

    T take() {
        rethrow();
        return *std::move(value);
    }
};

template <>
struct Promise<void> : PromiseBase {
    std::coroutine_handle<Promise> get_return_object() noexcept {
        return std::coroutine_handle<Promise>::from_promise(*this);
    }

    static void return_void() noexcept {}
    void take() { rethrow(); }
};

}  // namespace detail

// A coroutine that begins when it is awaited, once: `T value = co_await f(request);`. An exception in it
// comes out of the await. Keep what it refers to alive until then: a coroutine keeps its parameters, but not
// what they refer to, and a lambda's captures only as long as the lambda lives (handlers given to App live as
// long as the App).
template <class T>
class [[nodiscard]] Task {
public:
    using promise_type = detail::Promise<T>;

    Task() noexcept = default;  // empty: not to be awaited
    Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}

    Task& operator=(Task&& other) noexcept {
        std::swap(frame_, other.frame_);
        return *this;
    }

    ~Task() {
        if (frame_) {
            frame_.destroy();
        }
    }

    struct Awaiter {
        std::coroutine_handle<promise_type> frame;

        static bool await_ready() noexcept { return false; }

        template <class Awaiting>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<Awaiting> awaiting) noexcept {
            frame.promise().awaiting = awaiting;
            frame.promise().fiber = awaiting.promise().fiber;
            return frame;
        }

        T await_resume() { return frame.promise().take(); }
    };

    Awaiter operator co_await() && noexcept { return {frame_}; }

private:
    friend struct sdk::PublicAccess;

    std::coroutine_handle<promise_type> frame_ = nullptr;
};

// ----------------------------------------------------------------------------------------------------------
// text

// A body, or another text of an answer. A literal is kept as it stands in the program and never copied:
// Text("…"). A std::string is moved in, anything else copied.
class Text {
public:
    Text() noexcept = default;

    template <std::size_t Size>
    consteval Text(const char (&literal)[Size]) : literal_(literal, Size - 1) {}

    template <std::same_as<const char*> Pointer>
    Text(Pointer text) : made_(text) {}
    Text(std::string text) noexcept : made_(std::move(text)) {}
    Text(std::string_view text) : made_(text) {}

    [[nodiscard]] std::string_view view() const noexcept { return made_.empty() ? literal_ : made_; }

private:
    std::string_view literal_;
    std::string made_;
};

// ----------------------------------------------------------------------------------------------------------
// JSON

// A JSON value (RFC 8259): null, a boolean, a number, a text, an array or an object, whose members keep their
// order.
//
//     Json user{{"name", "Ada"}, {"id", 7}, {"tags", Json::array({"a", "b"})}};
//     std::string_view name = user["name"].text();
//     int64_t page = user["page"].integer(1);  // there is none: 1
//
// Reading never fails: what is not there is null, and another type than asked for gives the fallback.
class Json {
public:
    struct Member;

    Json() noexcept;  // null
    Json(std::nullptr_t) noexcept : Json() {}
    Json(bool value) noexcept;
    Json(double value) noexcept;
    Json(std::string value) noexcept;
    Json(std::string_view value) : Json(std::string(value)) {}
    Json(const char* value) : Json(std::string(value)) {}
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    Json(T value) noexcept
        : Json(std::in_range<int64_t>(value), static_cast<int64_t>(value), double(value)) {}
    Json(std::initializer_list<Member> members);  // an object

    Json(const Json& other);
    Json(Json&& other) noexcept;
    Json& operator=(Json other) noexcept;
    ~Json();

    [[nodiscard]] static Json object();
    [[nodiscard]] static Json array(std::initializer_list<Json> items = {});

    // At most 64 levels and 100,000 values; nullopt for anything else than one JSON value. Two members of
    // one name are refused. Whole numbers beyond 64 bits become doubles.
    [[nodiscard]] static std::optional<Json> parse(std::string_view text);
    // Without white space. Doubles that JSON has not (NaN, infinity) are written as null.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] bool is_null() const noexcept { return value_.index() == 0; }
    [[nodiscard]] bool is_boolean() const noexcept { return std::holds_alternative<bool>(value_); }
    [[nodiscard]] bool is_integer() const noexcept { return std::holds_alternative<int64_t>(value_); }
    [[nodiscard]] bool is_number() const noexcept {
        return is_integer() || std::holds_alternative<double>(value_);
    }
    [[nodiscard]] bool is_text() const noexcept { return std::holds_alternative<std::string>(value_); }
    [[nodiscard]] bool is_array() const noexcept { return std::holds_alternative<Array>(value_); }
    [[nodiscard]] bool is_object() const noexcept { return std::holds_alternative<Object>(value_); }

    [[nodiscard]] bool boolean(bool fallback = false) const noexcept;
    [[nodiscard]] int64_t integer(int64_t fallback = 0) const noexcept;
    [[nodiscard]] double number(double fallback = 0) const noexcept;
    [[nodiscard]] std::string_view text(std::string_view fallback = {}) const noexcept;

    // The first member of the name, or null.
    [[nodiscard]] const Json& operator[](std::string_view name) const noexcept;
    // The same, made where it is not there. What is no object becomes an empty one first.
    [[nodiscard]] Json& operator[](std::string_view name);
    // An array's item, or null.
    [[nodiscard]] const Json& at(std::size_t index) const noexcept;
    // Appends to an array. What is no array becomes an empty one first.
    void push_back(Json item);

    // Of an array or an object; else 0 and empty.
    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::span<const Json> items() const noexcept;
    [[nodiscard]] std::span<const Member> members() const noexcept;

private:
    using Array = std::vector<Json>;
    using Object = std::vector<Member>;
    friend struct sdk::PublicAccess;

    Json(bool is_whole, int64_t whole, double rounded) noexcept;

    std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

struct Json::Member {
    std::string name;
    Json value;
};

// --------------------------------------------------------------------------------------------------------
// answers

enum class SameSite : uint8_t { strict, lax, none };

// A cookie to be set (RFC 6265 section 4.1). Name and value must be tokens, without white space, quotes,
// comma, semicolon and backslash: encode what is not.
struct Cookie {
    std::string name{};
    std::string value{};
    std::optional<std::chrono::seconds> max_age{};  // none: until the browser closes; 0: removes the cookie
    std::string path = "/";
    std::string domain{};  // empty: this host alone
    SameSite same_site = SameSite::lax;
    bool is_http_only = true;
    bool is_secure = false;  // over https alone; SameSite::none implies it
};

// What a streaming answer is written to.
class Writer {
public:
    // Sends a piece; ends when the system has taken it, which is how a slow client slows its handler. An
    // empty piece sends nothing. Throws Cancelled when the client has left or Options::stream_time is over.
    // `piece` must stay as it is until the await has ended.
    Task<void> write(std::string_view piece);

    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

private:
    friend struct sdk::PublicAccess;
    explicit Writer(sdk::Exchange& exchange) : exchange_(exchange) {}

    sdk::Exchange& exchange_;
};

class Response {
public:
    Response() noexcept = default;  // 200 with an empty body

    [[nodiscard]] static Response text(Text body);  // text/plain; charset=utf-8
    [[nodiscard]] static Response html(Text body);  // text/html; charset=utf-8
    [[nodiscard]] static Response json(const Json& value);
    [[nodiscard]] static Response json_text(Text body);  // what is JSON already: a literal costs nothing
    [[nodiscard]] static Response of(std::string_view content_type, Text body);
    // A plain text with a status; an empty one says the status alone. 204 and 304 never have a body.
    [[nodiscard]] static Response status(int status, Text text = {});
    // 303 See Other by default: the browser asks again with GET, which is right after a form.
    [[nodiscard]] static Response redirect(std::string_view location, int status = 303);

    // An answer that is written piece by piece: `call(writer)` is a coroutine that gives Task<void>.
    //
    //     return Response::stream("text/plain", [](Writer& writer) -> Task<void> { co_await
    //     writer.write("hi"); });
    //
    // `call` is kept until the stream has ended, so its captures stay. An exception in it breaks the
    // connection off, so that the client sees that something is missing, and is logged. It does not run for
    // HEAD.
    template <class Call>
        requires std::is_invocable_r_v<Task<void>, Call&, Writer&>
    [[nodiscard]] static Response stream(std::string_view content_type, Call call) {
        Response response = of(content_type, {});
        response.stream_ = std::make_unique<std::function<Task<void>(Writer&)>>(std::move(call));
        return response;
    }

    // 200 to 599.
    void set_status(int status);
    // Appends a header field. The library's own are refused (Content-Length, Transfer-Encoding, Connection,
    // Date), and so are names and values that HTTP does not allow: std::invalid_argument.
    void add_header(std::string_view name, std::string_view value);
    // std::invalid_argument for what Cookie does not allow.
    void add_cookie(const Cookie& cookie);

    // The same, in one expression: `return Response::json(user).with_status(201);`.
    template <class Self>
    Self&& with_status(this Self&& self, int status) {
        self.set_status(status);
        return std::forward<Self>(self);
    }
    template <class Self>
    Self&& with_header(this Self&& self, std::string_view name, std::string_view value) {
        self.add_header(name, value);
        return std::forward<Self>(self);
    }
    template <class Self>
    Self&& with_cookie(this Self&& self, const Cookie& cookie) {
        self.add_cookie(cookie);
        return std::forward<Self>(self);
    }

private:
    friend struct sdk::PublicAccess;

    Text body_;
    std::string fields_;             // lines, each with its CRLF
    std::string_view content_type_;  // a literal; empty: none, or among the fields
    std::unique_ptr<std::function<Task<void>(Writer&)>> stream_;
    uint16_t status_ = 200;
};

// -------------------------------------------------------------------------------------------------------
// requests

enum class Method : uint8_t { get, head, post, put, patch, delete_, options };

enum class Level : uint8_t { info, warn, error };

// Why a request is over before its handler has ended.
enum class Stopped : uint8_t { no, client_left, deadline, shutdown };

namespace detail {

// A call for the pool of blocking threads.
class BlockingJob {
public:
    virtual ~BlockingJob() = default;
    virtual void run() noexcept = 0;
};

template <class Call>
class BlockingCall;

// Whole texts only: no sign "+", no white space, nothing behind. False: not a value of the type.
[[nodiscard]] bool read_value(std::string_view text, double& value);

template <std::integral T>
    requires(!std::same_as<T, bool> && !std::same_as<T, char>)
[[nodiscard]] bool read_value(std::string_view text, T& value) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

[[nodiscard]] inline bool read_value(std::string_view text, std::string_view& value) {
    value = text;
    return true;
}

[[nodiscard]] inline bool read_value(std::string_view text, std::string& value) {
    value = text;
    return true;
}

}  // namespace detail

class Request {
public:
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;

    [[nodiscard]] Method method() const noexcept;
    // In its normal form (RFC 3986 section 6.2.2), still escaped; begins with "/".
    [[nodiscard]] std::string_view path() const noexcept;
    // Behind the "?", as it came.
    [[nodiscard]] std::string_view query_text() const noexcept;
    // X-Request-Id where the balancer gave one, else made here: what log lines and error pages carry.
    [[nodiscard]] std::string_view id() const;
    // The first field of the name, in any case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;

    // The first value of the name, decoded: of "?name=value", and of a body that is
    // application/x-www-form-urlencoded (an HTML form's). UTF-8, and at most 1000 values each, else
    // Refused(400); query_text() and body() are as they came.
    [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const;
    [[nodiscard]] std::optional<std::string_view> form(std::string_view name) const;
    // The same as a number, nothing where it is none: request.query<int64_t>("page").value_or(1).
    template <class T>
    [[nodiscard]] std::optional<T> query(std::string_view name) const {
        return value_of<T>(query(name));
    }
    template <class T>
    [[nodiscard]] std::optional<T> form(std::string_view name) const {
        return value_of<T>(form(name));
    }

    // The whole body; it was read before the handler began, at most Options::body_max bytes of it (else 413).
    [[nodiscard]] std::string_view body() const noexcept;
    // The body as JSON; Refused(400) where it is none, Refused(415) where the Content-Type names something
    // else.
    [[nodiscard]] Json json() const;

    // The value of the first cookie of the name, as it came.
    [[nodiscard]] std::optional<std::string_view> cookie(std::string_view name) const noexcept;
    // The value of one that sign() made, when a key of ours signed it and it has not expired.
    [[nodiscard]] std::optional<std::string> signed_cookie(std::string_view name) const;
    // Signs a cookie, whose value may then be any text; it can be read, not changed. Its life is max_age, or
    // 30 days. Needs Options::cookie_keys (std::logic_error).
    //
    //     return Response::redirect("/").with_cookie(request.sign({.name = "user", .value = "7"}));
    [[nodiscard]] Cookie sign(Cookie cookie) const;

    // Protection against forms that other sites send for a visitor (CSRF). form_token() is for a hidden field
    // "form_token" of each form whose method is post; a visitor without the cookie that belongs to it gets
    // one. check_form() is for the handler of the post: Refused(403) unless the token is this visitor's and
    // not older than 12 hours, and where the browser says that another site sent it. Both need
    // Options::cookie_keys (std::logic_error).
    [[nodiscard]] std::string form_token() const;
    void check_form() const;

    // A page from a template (App::add_template). std::logic_error where there is none of the name;
    // std::length_error for a page over 8 MiB.
    [[nodiscard]] Response render(std::string_view name, const Json& values) const;

    // One line on standard error, with the request's id.
    void log(std::string_view event, Level level = Level::info) const;

    // Whether the request is over, for a handler that computes for long. Known at awaits only: sleep_for(0ms)
    // looks.
    [[nodiscard]] Stopped stopped() const noexcept;

    // Ends after the time. Throws Cancelled as soon as the request is over.
    Task<void> sleep_for(std::chrono::nanoseconds time);

    // Runs `call()` on a thread that may block, and gives what it gives or throws. Refused(503) when all
    // Options::blocking_threads are busy and Options::blocking_queue calls wait. A call that has begun is
    // always awaited, since it may use what the handler holds; then Cancelled is thrown if the request is
    // over. It must not touch the Request.
    template <class Call>
    Task<std::invoke_result_t<Call&>> blocking(Call call);

private:
    friend struct sdk::PublicAccess;
    explicit Request(sdk::Exchange& exchange) noexcept : exchange_(exchange) {}

    Task<void> run_blocking(detail::BlockingJob& job);

    template <class T>
    static std::optional<T> value_of(std::optional<std::string_view> text) {
        T value{};
        return text && detail::read_value(*text, value) ? std::optional(value) : std::nullopt;
    }

    sdk::Exchange& exchange_;
};

namespace detail {

template <class Call>
class BlockingCall final : public BlockingJob {
public:
    using Result = std::invoke_result_t<Call&>;

    explicit BlockingCall(Call& call) : call_(call) {}

    void run() noexcept override {
        try {
            if constexpr (std::is_void_v<Result>) {
                call_();
            } else {
                result_.emplace(call_());
            }
        } catch (...) {
            error_ = std::current_exception();
        }
    }

    Result take() {
        if (error_) {
            std::rethrow_exception(error_);
        }
        if constexpr (!std::is_void_v<Result>) {
            return *std::move(result_);
        }
    }

private:
    struct Nothing {};

    Call& call_;
    std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result_;
    std::exception_ptr error_;
};

}  // namespace detail

template <class Call>
Task<std::invoke_result_t<Call&>> Request::blocking(Call call) {
    detail::BlockingCall<Call> job(call);
    co_await run_blocking(job);
    co_return job.take();
}

// --------------------------------------------------------------------------------------------------------
// routing

namespace detail {

enum class Kind : uint8_t { integer, natural, number, text };

inline constexpr std::size_t kParametersMax = 8;

// The signature of a handler: a function, or an object with one operator().
template <class Handler>
struct Signature : Signature<decltype(&Handler::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
    using Result = R;
    using Arguments = std::tuple<A...>;
};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...)> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class C, class R, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};

template <class T>
consteval Kind kind_of() {
    if constexpr (std::same_as<T, std::string_view> || std::same_as<T, std::string>) {
        return Kind::text;
    } else if constexpr (std::same_as<T, double>) {
        return Kind::number;
    } else {
        static_assert(
            std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>,
            "a handler takes path parameters by value, as int64_t, another integer, double, "
            "std::string_view or std::string"
        );
        return std::is_signed_v<T> ? Kind::integer : Kind::natural;
    }
}

// What a handler takes behind its Request&.
template <class Arguments>
struct Values;
template <class First, class... Rest>
struct Values<std::tuple<First, Rest...>> {
    static_assert(std::same_as<First, Request&>, "a handler's first parameter is trilith::Request&");
    static_assert(sizeof...(Rest) <= kParametersMax, "a pattern has at most 8 parameters");

    using Tuple = std::tuple<Rest...>;
    static constexpr std::array<Kind, sizeof...(Rest)> kKinds{kind_of<Rest>()...};
};

// Not constexpr: where the compiler names one of these, that is what is wrong.
void the_handler_takes_another_number_of_values_than_the_pattern_has_parameters();
void a_parameter_with_int_needs_an_integer_in_the_handler();
void a_rest_parameter_needs_a_text_in_the_handler();
void a_pattern_begins_with_a_slash();

// A path pattern, checked against its handler when the program is compiled.
template <class Handler>
class Pattern {
public:
    template <class Literal>
        requires std::convertible_to<const Literal&, std::string_view>
    consteval Pattern(const Literal& text) : text_(text) {
        constexpr auto kKinds = Values<typename Signature<Handler>::Arguments>::kKinds;
        if (!text_.starts_with('/')) {
            a_pattern_begins_with_a_slash();
        }
        std::size_t count = 0;
        for (std::size_t at = text_.find('{'); at != text_.npos; at = text_.find('{', at + 1)) {
            std::string_view name = text_.substr(at + 1, text_.find('}', at) - at - 1);
            bool is_there = count < kKinds.size();
            if (is_there && name.ends_with(":int") && kKinds[count] != Kind::integer &&
                kKinds[count] != Kind::natural) {
                a_parameter_with_int_needs_an_integer_in_the_handler();
            }
            if (is_there && name.ends_with('*') && kKinds[count] != Kind::text) {
                a_rest_parameter_needs_a_text_in_the_handler();
            }
            ++count;
        }
        if (count != kKinds.size()) {
            the_handler_takes_another_number_of_values_than_the_pattern_has_parameters();
        }
    }

    [[nodiscard]] std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

enum class Started : uint8_t {
    answered,    // `ready` is the answer
    running,     // `running` will give it
    mismatched,  // a value does not fit its type
};

class Handler {
public:
    virtual ~Handler() = default;
    virtual Started start(
        Request& request,
        std::span<const std::string_view> values,
        Response& ready,
        Task<Response>& running
    ) = 0;
    [[nodiscard]] virtual std::span<const Kind> kinds() const noexcept = 0;
};

template <class Call>
class HandlerOf final : public Handler {
public:
    explicit HandlerOf(Call call) : call_(std::move(call)) {}

    Started start(
        Request& request,
        std::span<const std::string_view> values,
        Response& ready,
        Task<Response>& running
    ) override {
        Tuple arguments;
        return start_with(
            request,
            values,
            ready,
            running,
            arguments,
            std::make_index_sequence<std::tuple_size_v<Tuple>>()
        );
    }

    [[nodiscard]] std::span<const Kind> kinds() const noexcept override {
        return Values<typename Signature<Call>::Arguments>::kKinds;
    }

private:
    using Tuple = typename Values<typename Signature<Call>::Arguments>::Tuple;
    using Result = typename Signature<Call>::Result;
    static_assert(
        std::same_as<Result, Response> || std::same_as<Result, Task<Response>>,
        "a handler gives a trilith::Response, or a trilith::Task<trilith::Response>"
    );

    template <std::size_t... At>
    Started
    start_with(Request& request, std::span<const std::string_view> values, Response& ready, Task<Response>& running, Tuple& arguments, std::index_sequence<At...>) {
        if (!(read_value(values[At], std::get<At>(arguments)) && ...)) {
            return Started::mismatched;
        }
        if constexpr (std::same_as<Result, Response>) {
            ready = call_(request, std::move(std::get<At>(arguments))...);
            return Started::answered;
        } else {
            running = call_(request, std::move(std::get<At>(arguments))...);
            return Started::running;
        }
    }

    Call call_;
};

}  // namespace detail

// ------------------------------------------------------------------------------------------------------------
// App

// Bounds and ways of a program. Every wait has one.
struct Options {
    // Where to listen, if neither LISTEN_FDS nor PORT says it. Port 0: one of the system's choice.
    std::string address = "127.0.0.1";
    uint16_t port = 8080;
    unsigned threads = 1;  // above 1, handlers run at the same time: what they share must bear it

    uint32_t connections_max = 10'000;  // further ones wait in the kernel's queue
    uint32_t head_max = 16 << 10;       // bytes of a request's head, at most 64 KiB less one; then 431
    uint32_t fields_max = 100;          // then 431
    uint64_t body_max = 1 << 20;        // bytes; then 413

    std::chrono::milliseconds head_time{10'000};     // from a head's first byte to its end; then 408
    std::chrono::milliseconds idle_time{75'000};     // between requests: above the balancer's 50 s
    std::chrono::milliseconds body_time{30'000};     // for the whole body to come (408), for a client to take
                                                     // bytes
    std::chrono::milliseconds handler_time{30'000};  // from the head's arrival to the handler's end; then 503
    std::chrono::milliseconds stream_time{3'600'000};  // of a streaming answer
    std::chrono::milliseconds stop_time{10'000};       // from SIGTERM until what still runs is cancelled

    unsigned blocking_threads = 4;
    uint32_t blocking_queue = 64;  // calls that wait for one of them; then 503

    bool has_access_log = false;  // one line a request on standard error

    // Signs cookies with the first, accepts all: put a new key in front, take the old one out a cookie's life
    // later. Each at least 32 bytes of secret.
    std::vector<std::string> cookie_keys{};
};

// A program: what answers which path. Everything is registered before run(); what is wrong with it (a
// pattern, a conflict, a template, a key) is told by run(), which then gives 2 and does not listen.
//
// A pattern is a path whose segments are literal or a parameter:
//     "/users/{id:int}/posts/{slug}"    {slug} takes one segment, not empty, decoded
//     "/files/{path*}"                  the last one may take all the rest, with its slashes; may be empty
// The handler takes the parameters' values in their order, behind its Request&. Their types are the
// handler's: a value that does not fit the type does not match, which ends as 404; {id:int} also says so in
// the pattern. Where several patterns match, a literal goes before a parameter, a number before a text, all
// before a rest, whatever the order of registration; two handlers for the same are refused. "/a" and "/a/"
// are two paths.
//
// Answered without a handler: HEAD by the handler of GET, OPTIONS with Allow, another method with 405 and
// Allow, GET /healthz with 200.
class App {
public:
    explicit App(Options options = {});
    ~App();
    App(const App&) = delete;
    App& operator=(const App&) = delete;

    template <class Call>
    App& get(detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return on(Method::get, pattern, std::move(handler));
    }
    template <class Call>
    App& post(detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return on(Method::post, pattern, std::move(handler));
    }
    template <class Call>
    App& put(detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return on(Method::put, pattern, std::move(handler));
    }
    template <class Call>
    App& patch(detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return on(Method::patch, pattern, std::move(handler));
    }
    template <class Call>
    App& delete_(detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return on(Method::delete_, pattern, std::move(handler));
    }
    template <class Call>
    App& on(Method method, detail::Pattern<std::type_identity_t<Call>> pattern, Call handler) {
        return add(method, pattern.text(), std::make_unique<detail::HandlerOf<Call>>(std::move(handler)));
    }

    // A page for Request::render():
    //     {{name}} {{user.name}} {{.}}          the value, HTML escaped: in text and in quoted attributes
    //     {{{name}}}                            as it is: only what is HTML already and not a visitor's
    //     {{#each users}}…{{/each}}             for each item, in which names are looked up first; {{.}} is
    //     the item
    //     {{#if name}}…{{else}}…{{/if}}         not null, false, 0, empty
    //     {{> name}}                            another template, with what can be seen here
    //     {{! a remark }}
    // What is not there is empty. Refused: a value in an attribute without quotes, and in <script> or
    // <style>.
    App& add_template(std::string_view name, std::string_view text);

    // Makes the database (trilith/database.h) usable by handlers. It must outlive run(); one App a Database.
    App& use(Database& database);

    // Runs `call(request)`, a coroutine that gives Task<void>, when the program has begun to serve and then
    // again, so much time after each end. On one thread; a request without client, path and fields, whose
    // time is Options::handler_time. What it throws is logged, and it goes on. It ends when the program
    // stops.
    template <class Call>
        requires std::is_invocable_r_v<Task<void>, Call&, Request&>
    App& every(std::chrono::milliseconds pause, Call call) {
        return add_chore(pause, std::move(call));
    }

    // Serves until SIGTERM or SIGINT, then answers what runs and has arrived, for at most Options::stop_time;
    // gives the status for main: 0, 1 where it cannot serve (the port is taken), 2 where what was registered
    // is wrong. Listens on the sockets of LISTEN_FDS (systemd's convention), else on PORT at 127.0.0.1, else
    // as `--port N` and Options say. Takes over SIGTERM, SIGINT and SIGPIPE; one a process at a time.
    int run(int argc = 0, char** argv = nullptr);

private:
    friend struct sdk::PublicAccess;

    App& add(Method method, std::string_view pattern, std::unique_ptr<detail::Handler> handler);
    App& add_chore(std::chrono::milliseconds pause, std::function<Task<void>(Request&)> call);

    std::unique_ptr<sdk::Program> program_;
};

}  // namespace trilith
