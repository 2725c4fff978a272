#include "sdk/guard.h"

#include <stdexcept>
#include <utility>

namespace trilith::sdk {

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

HandlerEnd start_stream(std::function<Task<void>(Writer&)>& stream, Writer& writer, Task<void>& running) {
    try {
        running = stream(writer);
        return {};
    } catch (...) {
        return judge(std::current_exception());
    }
}

void raise_cancelled() { throw Cancelled(); }

void raise_refused(int status, std::string reason) { throw Refused(status, std::move(reason)); }

void raise_invalid(const std::string& sentence) { throw std::invalid_argument(sentence); }

void raise_misuse(const std::string& sentence) { throw std::logic_error(sentence); }

void raise_too_long(const std::string& sentence) { throw std::length_error(sentence); }

}  // namespace trilith::sdk
