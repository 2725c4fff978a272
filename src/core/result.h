// Errors as values: Result<T> is std::expected<T, Error>, and an Error says what kind of thing went wrong and
// where. Success costs nothing: an Error is one owning pointer to a cold record.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <utility>

namespace core {

enum class ErrorKind : unsigned char {
    invalid,      // bytes, text or a value that the rules refuse
    too_large,    // valid so far, but over a stated bound
    unsupported,  // well-formed, but not something we do
    not_found,
    conflict,  // contradicts what is there (an occupied port, a second owner)
    permission,
    refused,  // the peer refused the connection or cannot be reached
    reset,    // the connection broke: reset, or bytes that could not be sent
    closed,   // the peer ended the stream where more was expected
    timed_out,
    cancelled,  // our own owner asked us to stop
    exhausted,  // a bound of ours is reached: connections, descriptors, queue places
    io,         // any other answer of the operating system
};

// The kind's name as it stands in logs, for example "timed_out".
[[nodiscard]] const char* error_kind_name(ErrorKind kind) noexcept;

class [[nodiscard]] Error {
public:
    Error(ErrorKind kind, std::string context);

    [[nodiscard]] ErrorKind kind() const noexcept { return cold_->kind; }

    // One sentence without a full stop: the operation, the peer or file, the limit.
    [[nodiscard]] const std::string& context() const noexcept { return cold_->context; }

    // The same error with `operation: ` put before the context, by a caller who knows more than the callee
    // did.
    [[nodiscard]] Error within(std::string_view operation) &&;

    // An error of the operating system: `operation: strerror(code)`, with the kind that belongs to the errno
    // value.
    [[nodiscard]] static Error of_errno(int code, std::string_view operation);

private:
    struct Cold {
        ErrorKind kind;
        std::string context;
    };

    std::unique_ptr<Cold> cold_;
};

template <class T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(ErrorKind kind, std::string context) {
    return std::unexpected(Error(kind, std::move(context)));
}

[[nodiscard]] inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace core

#define TRILITH_JOIN_(a, b) a##b
#define TRILITH_JOIN(a, b) TRILITH_JOIN_(a, b)
#define TRILITH_TRY_(temporary, declaration, expression, returns) \
    auto temporary = (expression); \
    if (!temporary) [[unlikely]] { \
        returns std::unexpected(std::move(temporary).error()); \
    } \
    declaration = *std::move(temporary)

// TRY(auto x, f()): x is f()'s value, or the error is returned to our caller. CO_TRY does the same in a
// coroutine.
#define TRY(declaration, expression) \
    TRILITH_TRY_(TRILITH_JOIN(try_result_, __LINE__), declaration, expression, return)
#define CO_TRY(declaration, expression) \
    TRILITH_TRY_(TRILITH_JOIN(try_result_, __LINE__), declaration, expression, co_return)

// TRY_VOID(f()): for a Result<void>.
#define TRY_VOID(expression) \
    do { \
        if (auto try_result = (expression); !try_result) [[unlikely]] { \
            return std::unexpected(std::move(try_result).error()); \
        } \
    } while (false)
#define CO_TRY_VOID(expression) \
    do { \
        if (auto try_result = (expression); !try_result) [[unlikely]] { \
            co_return std::unexpected(std::move(try_result).error()); \
        } \
    } while (false)
