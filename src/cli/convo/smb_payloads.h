// SPDX-License-Identifier: Apache-2.0
#pragma once

// SMB messages that a conversation names (MS-SMB2 2.2): each is one message with its NetBIOS session header, as a plain client or
// server of today would send it. The session and the tree are always number one.

#include <string>
#include <string_view>

namespace weir::cli {

/// The SMB negotiate request of a client of today (2.2.3).
std::string smb2_negotiate();
/// The one of old, which SMB 1 begins with (MS-CIFS 2.2.4.52).
std::string smb1_negotiate();
/// The server's answer (2.2.4): "none", "enabled" or "required"; SMB 3.0.2.
std::string smb2_negotiate_answer(std::string_view signing);
/// Asks for \\server\SHARE (2.2.9).
std::string smb2_tree_connect(std::string_view share);
/// The tree is there (2.2.10), of pipes if the share is IPC$.
std::string smb2_tree_answer(std::string_view share);
/// Opens a file or pipe of the tree (2.2.13).
std::string smb2_create(std::string_view name);
/// Writes the beginning of a file (2.2.21).
std::string smb2_write(std::string_view bytes);
/// An encrypted message (2.2.41): nothing of it can be read.
std::string smb2_encrypted();

}  // namespace weir::cli
