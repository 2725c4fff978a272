#include "node/control_refusal.h"

#include "node/control_json.h"

namespace node {

ControlReply refuse(uint16_t status, std::string_view sentence) {
    return {.status = status, .body = format_error(sentence)};
}

ControlReply refuse(const core::Error& error) {
    switch (error.kind()) {
        case core::ErrorKind::invalid: return refuse(400, error.context());
        case core::ErrorKind::not_found: return refuse(404, error.context());
        case core::ErrorKind::conflict: return refuse(409, error.context());
        case core::ErrorKind::too_large: return refuse(413, error.context());
        default: return refuse(500, error.context());
    }
}

}  // namespace node
