#include "sdk/guard.h"

#include <stdexcept>
#include <utility>

#include "mysql/capabilities.h"

namespace trilith::sdk {

DatabaseError::Kind kind_of(const mariadb::ServerFailure& failure) {
    using Kind = DatabaseError::Kind;
    switch (failure.number) {
        case 0: break;
        // What the router says of a primary that is not there, and of a place that it has not.
        case mysql::kErrorServerGone:
        case mysql::kErrorTooManyConnections:
        case mysql::kErrorOptionPreventsStatement:
        case mysql::kErrorReadOnlyMode:
        case mysql::kErrorServerShutdown: return Kind::unavailable;
        case mysql::kErrorServerLost:
        case mysql::kErrorConnectionKilled:
        case mysql::kErrorQueryInterrupted: return Kind::lost;
        case mysql::kErrorStatementTimeout: return Kind::timed_out;
        default: return Kind::statement;
    }
    switch (failure.kind) {
        case core::ErrorKind::refused:
        case core::ErrorKind::exhausted: return Kind::unavailable;
        case core::ErrorKind::timed_out: return Kind::timed_out;
        case core::ErrorKind::too_large: return Kind::too_large;
        case core::ErrorKind::unsupported: return Kind::statement;
        default: return Kind::lost;
    }
}

HandlerEnd judge(const std::exception_ptr& error) {
    if (!error) {
        return {};
    }
    try {
        std::rethrow_exception(error);
    } catch (const Cancelled&) {
        return {.fault = Fault::cancelled};
    } catch (const Refused& refused) {
        return {.fault = Fault::refused, .status = refused.status(), .text = refused.what()};
    } catch (const DatabaseError& failed) {
        bool is_away = failed.kind() == DatabaseError::Kind::unavailable;
        Fault fault = is_away ? Fault::unavailable : Fault::is_error;
        return {.fault = fault, .status = is_away ? 503 : 500, .text = failed.what()};
    } catch (const std::exception& exception) {
        return {.fault = Fault::is_error, .status = 500, .text = exception.what()};
    } catch (...) {
        return {.fault = Fault::is_error, .status = 500, .text = "an exception that is no std::exception"};
    }
}

StartedHandler start_handler(
    detail::Handler& handler,
    Request& request,
    std::span<const std::string_view> values,
    Response& ready,
    Task<Response>& running
) {
    try {
        return {.started = handler.start(request, values, ready, running)};
    } catch (...) {
        return {.started = detail::Started::answered, .end = judge(std::current_exception())};
    }
}

HandlerEnd start_chore(
    const std::function<Task<void>(Request&)>& call,
    Request& request,
    Task<void>& running
) {
    try {
        running = call(request);
        return {};
    } catch (...) {
        return judge(std::current_exception());
    }
}

HandlerEnd start_stream(std::function<Task<void>(Writer&)>& stream, Writer& writer, Task<void>& running) {
    try {
        running = stream(writer);
        return {};
    } catch (...) {
        return judge(std::current_exception());
    }
}

void raise_cancelled() { throw Cancelled(); }

void raise_database(mariadb::ServerFailure failure) {
    if (failure.number == 0 && failure.kind == core::ErrorKind::cancelled) {
        throw Cancelled();
    }
    std::string sentence = std::move(failure.message);
    if (failure.number != 0) {
        sentence += " (" + std::to_string(failure.number) + ", " + failure.sqlstate + ")";
    }
    throw DatabaseError(kind_of(failure), failure.number, std::move(failure.sqlstate), std::move(sentence));
}

void raise_refused(int status, std::string reason) { throw Refused(status, std::move(reason)); }

void raise_invalid(const std::string& sentence) { throw std::invalid_argument(sentence); }

void raise_misuse(const std::string& sentence) { throw std::logic_error(sentence); }

void raise_too_long(const std::string& sentence) { throw std::length_error(sentence); }

}  // namespace trilith::sdk
