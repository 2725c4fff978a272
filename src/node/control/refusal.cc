#include "node/control/refusal.h"

#include "node/control/json.h"

namespace node {

ControlReply error_reply(uint16_t status, std::string_view sentence) {
    return {.status = status, .body = format_error(sentence)};
}

ControlReply error_reply(const core::Error& error) {
    switch (error.kind()) {
        case core::ErrorKind::invalid: return error_reply(400, error.context());
        case core::ErrorKind::not_found: return error_reply(404, error.context());
        case core::ErrorKind::conflict: return error_reply(409, error.context());
        case core::ErrorKind::too_large: return error_reply(413, error.context());
        default: return error_reply(500, error.context());
    }
}

}  // namespace node
