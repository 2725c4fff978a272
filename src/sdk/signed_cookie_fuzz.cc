// Any bytes as a signed cookie, which no one signed; and any bytes signed, which come back.
#include "core/panic.h"
#include "sdk/base64url.h"
#include "sdk/signed_cookie.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
    using trilith::sdk::CookieSigner;
    static const CookieSigner signer = *CookieSigner::make({std::string(32, 'k')});
    std::string text(reinterpret_cast<const char*>(data), size);
    ASSERT(!signer.verify("a", text, 0));
    if (size < 1024) {
        ASSERT(signer.verify("a", signer.sign("a", text, 10), 9) == text);
        ASSERT(trilith::sdk::decode_base64url(trilith::sdk::encode_base64url(text)) == text);
    }
    if (auto bytes = trilith::sdk::decode_base64url(text)) {
        ASSERT(trilith::sdk::encode_base64url(*bytes) == text);
    }
    return 0;
}
