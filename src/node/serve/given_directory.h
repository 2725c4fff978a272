// Directories that root gives to the user as whom a server goes on.
#pragma once

#include <string>

#include "core/result.h"
#include "runtime/account.h"

namespace node {

// Makes the directory for the account, or gives it one that is there, with the regular files and sockets in
// it and in its folder `logs`. One that is there must lie where nobody but root can put anything, all the way
// from the top: then it is root's or another user's by root's will, as that of a server that has changed its
// user. permission: it does not, or others may write to it; the sentence has the cure.
[[nodiscard]] core::Result<void> give_directory(const std::string& path, const runtime::Account& account);

// Lets everybody go through `base`, root's own, on the way to `path`; one that is not on that way stays as it
// is. A version before gave the directory of all sites to root alone. What fails shows as a barred way.
void let_through(const std::string& base, const std::string& path);

// Whether the account may go where the path leads; the error names the directory that it may not enter.
[[nodiscard]] core::Result<void> check_reach(const std::string& path, const runtime::Account& account);

// The first directory on the way to `path` that the calling thread may not enter; empty: none.
[[nodiscard]] std::string closed_directory(const std::string& path);

}  // namespace node
