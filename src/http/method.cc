// Method names, told apart by length first.
#include "http/method.h"

namespace http {

Method parse_method(std::string_view text) {
    switch (text.size()) {
        case 3: return text == "GET" ? Method::get : text == "PUT" ? Method::put : Method::other;
        case 4: return text == "POST" ? Method::post : text == "HEAD" ? Method::head : Method::other;
        case 5: return text == "PATCH" ? Method::patch : text == "TRACE" ? Method::trace : Method::other;
        case 6: return text == "DELETE" ? Method::delete_ : Method::other;
        case 7:
            return text == "OPTIONS" ? Method::options : text == "CONNECT" ? Method::connect : Method::other;
        default: return Method::other;
    }
}

std::string_view method_name(Method method) {
    switch (method) {
        case Method::get: return "GET";
        case Method::head: return "HEAD";
        case Method::post: return "POST";
        case Method::put: return "PUT";
        case Method::delete_: return "DELETE";
        case Method::options: return "OPTIONS";
        case Method::trace: return "TRACE";
        case Method::connect: return "CONNECT";
        case Method::patch: return "PATCH";
        case Method::other: break;
    }
    return "other";
}

}  // namespace http
