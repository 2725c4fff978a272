// The border between a program, which may throw, and the rest, which does not: the only place that throws and
// that catches. What leaves a handler becomes an answer here.
#pragma once

#include <trilith/app.h>
#include <trilith/database.h>

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "mariadb/query_reader.h"

namespace trilith::sdk {

enum class Fault : uint8_t {
    none,
    cancelled,
    refused,      // Refused: its status and reason
    unavailable,  // a DatabaseError of that kind: 503, and `text` is its what()
    is_error,     // anything else: `text` is its what()
};

struct HandlerEnd {
    Fault fault = Fault::none;
    int status = 0;
    std::string text{};
};

// What an exception that left a coroutine means.
[[nodiscard]] HandlerEnd judge(const std::exception_ptr& error);

struct StartedHandler {
    detail::Started started = detail::Started::mismatched;
    HandlerEnd end{};
};

// Calls a chore (App::every); the same.
[[nodiscard]] HandlerEnd start_chore(
    const std::function<Task<void>(Request&)>& call,
    Request& request,
    Task<void>& running
);

// Calls the handler; what it throws before its first await is in `end`.
[[nodiscard]] StartedHandler start_handler(
    detail::Handler& handler,
    Request& request,
    std::span<const std::string_view> values,
    Response& ready,
    Task<Response>& running
);

// The same for the coroutine that writes a stream.
[[nodiscard]] HandlerEnd start_stream(
    std::function<Task<void>(Writer&)>& stream,
    Writer& writer,
    Task<void>& running
);

// What a failure of a statement is to the program.
[[nodiscard]] DatabaseError::Kind kind_of(const mariadb::ServerFailure& failure);

// What a program called wrongly, or what shall end its handler.
[[noreturn]] void raise_cancelled();
[[noreturn]] void raise_refused(int status, std::string reason);
[[noreturn]] void raise_invalid(const std::string& sentence);  // std::invalid_argument
[[noreturn]] void raise_misuse(const std::string& sentence);   // std::logic_error
// Cancelled for a failure of that kind, else the DatabaseError that it means.
[[noreturn]] void raise_database(mariadb::ServerFailure failure);
[[noreturn]] void raise_too_long(const std::string& sentence);  // std::length_error

}  // namespace trilith::sdk
