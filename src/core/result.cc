#include "core/result.h"

#include <cerrno>
#include <cstring>
#include <string_view>

namespace core {

namespace {

ErrorKind kind_of_errno(int code) {
    switch (code) {
        case ECONNREFUSED:
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN: return ErrorKind::refused;
        case ECONNRESET:
        case EPIPE:
        case ECONNABORTED: return ErrorKind::reset;
        case ETIMEDOUT: return ErrorKind::timed_out;
        case EADDRINUSE:
        case EEXIST: return ErrorKind::conflict;
        case EACCES:
        case EPERM: return ErrorKind::permission;
        case ENOENT: return ErrorKind::not_found;
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
        case EADDRNOTAVAIL: return ErrorKind::exhausted;
        default: return ErrorKind::io;
    }
}

}  // namespace

const char* error_kind_name(ErrorKind kind) noexcept {
    switch (kind) {
        case ErrorKind::invalid: return "invalid";
        case ErrorKind::too_large: return "too_large";
        case ErrorKind::unsupported: return "unsupported";
        case ErrorKind::not_found: return "not_found";
        case ErrorKind::conflict: return "conflict";
        case ErrorKind::permission: return "permission";
        case ErrorKind::refused: return "refused";
        case ErrorKind::reset: return "reset";
        case ErrorKind::closed: return "closed";
        case ErrorKind::timed_out: return "timed_out";
        case ErrorKind::cancelled: return "cancelled";
        case ErrorKind::exhausted: return "exhausted";
        case ErrorKind::io: return "io";
    }
    return "unknown";
}

Error::Error(ErrorKind kind, std::string context)
    : cold_(std::make_unique<Cold>(Cold{.kind = kind, .context = std::move(context)})) {}

Error Error::within(std::string_view operation) && {
    cold_->context.insert(0, std::string(operation) + ": ");
    return std::move(*this);
}

Error Error::of_errno(int code, std::string_view operation) {
    return {kind_of_errno(code), std::string(operation) + ": " + std::strerror(code)};
}

}  // namespace core
