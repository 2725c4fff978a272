#include "web/site_check.h"

#include <algorithm>
#include <cerrno>
#include <format>
#include <string_view>

#include "http/text.h"
#include "runtime/file.h"

namespace web {
namespace {

using core::ErrorKind;

core::Result<void> check_index(const Config& config) {
    for (const std::string& name : config.index) {
        if (name.contains('/') || !is_file_path("/" + name)) {
            return core::fail(
                ErrorKind::invalid,
                std::format("index \"{}\": expected the name of a file, without slash", name)
            );
        }
    }
    return {};
}

core::Result<void> check_error_pages(const Config& config) {
    for (const ErrorPage& page : config.error_pages) {
        if (page.status < 400 || page.status > 599) {
            return core::fail(
                ErrorKind::invalid,
                std::format("error page for {}: expected a status from 400 to 599", page.status)
            );
        }
        if (!is_file_path(page.path)) {
            return core::fail(
                ErrorKind::invalid,
                std::format("error page \"{}\": expected /NAME below the root", page.path)
            );
        }
        if (std::ranges::count(config.error_pages, page.status, &ErrorPage::status) > 1) {
            return core::fail(
                ErrorKind::conflict,
                std::format("status {} has two error pages: keep one", page.status)
            );
        }
    }
    return {};
}

bool is_field_value(std::string_view text) {
    return !text.empty() && http::all_of(text, http::kValueByte) && http::trim(text).size() == text.size();
}

core::Result<void> check_fields(const Config& config) {
    for (const CacheControlRule& rule : config.cache_control) {
        if (rule.match.empty() || !is_field_value(rule.value)) {
            return core::fail(
                ErrorKind::invalid,
                std::format("Cache-Control for \"{}\": expected a pattern and one line of text", rule.match)
            );
        }
    }
    for (const MimeOverride& own : config.mime_types) {
        if (own.extension.empty() || own.extension.contains('.') || !own.type.contains('/') ||
            !is_field_value(own.type)) {
            return core::fail(
                ErrorKind::invalid,
                std::format(
                    R"(type "{}" of ".{}": expected an extension without dots and TYPE/SUBTYPE)",
                    own.type,
                    own.extension
                )
            );
        }
    }
    if (!http::all_of(config.charset, http::kTokenByte)) {
        return core::fail(
            ErrorKind::invalid,
            std::format("charset \"{}\": expected a name such as utf-8", config.charset)
        );
    }
    for (const Encoding encoding : config.precompressed) {
        if (std::ranges::count(config.precompressed, encoding) > 1) {
            return core::fail(ErrorKind::conflict, "precompressed names an encoding twice: keep one");
        }
    }
    return {};
}

}  // namespace

core::Result<runtime::Descriptor> open_root(const std::string& root) {
    const int opened = runtime::open_directory(root.c_str());
    if (opened == -ENOENT) {
        return core::fail(
            ErrorKind::not_found,
            std::format("root {} is not there: create it, or correct the path", root)
        );
    }
    if (opened == -ENOTDIR) {
        return core::fail(
            ErrorKind::invalid,
            std::format("root {} is not a directory: name the directory that holds the files", root)
        );
    }
    if (opened < 0) {
        return core::fail(core::Error::of_errno(-opened, std::format("opening root {}", root)));
    }
    return runtime::Descriptor(opened);
}

core::Result<void> check_opened_root(int directory, const std::string& root) {
    const int usable = runtime::can_open_beneath(directory);
    if (usable == -EACCES) {
        return core::fail(
            ErrorKind::permission,
            std::format("root {} may not be searched: give the user of this process the x right on it", root)
        );
    }
    if (usable == -ENOSYS || usable == -EPERM) {
        return core::fail(
            ErrorKind::unsupported,
            "openat2(2) is not there: files are served on Linux 5.6 and later, and a sandbox must allow the "
            "call"
        );
    }
    if (usable < 0) {
        return core::fail(core::Error::of_errno(-usable, std::format("opening files below root {}", root)));
    }
    return {};
}

core::Result<void> check_site(const Config& config) {
    const bool is_without_files =
        config.root.empty() && std::ranges::all_of(config.try_files, [](const TryStep& step) {
        return step.kind == TryStep::Kind::app;
    });
    if (is_without_files) {
        return check_try_files(config.try_files);
    }
    if (!config.root.starts_with('/') || config.root.contains('\0')) {
        return core::fail(
            ErrorKind::invalid,
            std::format("root \"{}\": expected an absolute path", config.root)
        );
    }
    TRY_VOID(check_index(config));
    TRY_VOID(check_try_files(config.try_files));
    TRY_VOID(check_error_pages(config));
    TRY_VOID(check_fields(config));
    TRY(const runtime::Descriptor root, open_root(config.root));
    return check_opened_root(root.get(), config.root);
}

}  // namespace web
