// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of SMB 1 to 3. Dialect, signing, encrypted and compressed belong to the flow, the rest to one command.

#include "facts/field.h"

namespace weir::proto::smb {

enum : FieldId { kDialect = 240, kSigning, kCommand, kShare, kPipe, kFile, kEncrypted, kCompressed };

/// The server's final answer to negotiate, or traffic that shows that there was one before we listened.
inline constexpr std::uint8_t kNegotiated = milestone::kOwn;

enum class Dialect : std::uint8_t { Smb1, Smb202, Smb210, Smb300, Smb302, Smb311 };
inline constexpr Word kDialects[] = {{"1", 0}, {"2.0.2", 1}, {"2.1", 2}, {"3.0", 3}, {"3.0.2", 4}, {"3.1.1", 5}};

enum class Signing : std::uint8_t { None, Enabled, Required };
inline constexpr Word kSignings[] = {{"none", 0}, {"enabled", 1}, {"required", 2}};

/// The first nineteen are SMB 2's command numbers (MS-SMB2 2.2.1.2); SMB 1's commands take the same words where they do the same.
enum class Command : std::uint8_t {
  Negotiate, SessionSetup, Logoff, TreeConnect, TreeDisconnect, Create, Close, Flush, Read, Write, Lock, Ioctl, Cancel, Echo,
  QueryDirectory, ChangeNotify, QueryInfo, SetInfo, OplockBreak,
  Delete, Rename, Transaction, Transaction2, NtTransact, MakeDirectory, RemoveDirectory, Copy, Print, Other
};
inline constexpr Word kCommands[] = {
    {"negotiate", 0}, {"session-setup", 1}, {"logoff", 2}, {"tree-connect", 3}, {"tree-disconnect", 4}, {"create", 5}, {"close", 6},
    {"flush", 7}, {"read", 8}, {"write", 9}, {"lock", 10}, {"ioctl", 11}, {"cancel", 12}, {"echo", 13}, {"query-directory", 14},
    {"change-notify", 15}, {"query-info", 16}, {"set-info", 17}, {"oplock-break", 18}, {"delete", 19}, {"rename", 20},
    {"transaction", 21}, {"transaction2", 22}, {"nt-transact", 23}, {"mkdir", 24}, {"rmdir", 25}, {"copy", 26}, {"print", 27}, {"other", 28}};

inline constexpr FieldRow kFields[] = {
    {.id = kDialect, .name = "smb.dialect", .type = FieldType::Word, .scope = Scope::Flow, .closes = kNegotiated, .words = kDialects,
     .help = "Dialect that the server chose; 1 is certain at a request that offers nothing newer (MS-SMB2 2.2.4, MS-CIFS 2.2.4.52)."},
    {.id = kSigning, .name = "smb.signing", .type = FieldType::Word, .scope = Scope::Flow, .closes = kNegotiated, .words = kSignings,
     .help = "Signing as negotiated: required if either side says so; known at the server's final answer."},
    {.id = kCommand, .name = "smb.command", .type = FieldType::Word, .scope = Scope::Transaction, .closes = milestone::kTransaction, .words = kCommands,
     .help = "Command of one request; set-info of SMB 2 that renames or deletes is rename or delete."},
    {.id = kShare, .name = "smb.share", .type = FieldType::TextFold, .scope = Scope::Transaction, .closes = milestone::kTransaction,
     .help = "Share that the command works on: the last component of its path, without the server."},
    {.id = kPipe, .name = "smb.pipe", .type = FieldType::TextFold, .scope = Scope::Transaction, .closes = milestone::kTransaction,
     .help = "Named pipe on IPC$ that the command opens or uses, without the prefix pipe."},
    {.id = kFile, .name = "smb.file", .type = FieldType::TextFold, .scope = Scope::Transaction, .closes = milestone::kTransaction,
     .help = "Path of the file that the command opens or uses, within its share."},
    {.id = kEncrypted, .name = "smb.encrypted", .type = FieldType::Boolean, .scope = Scope::Flow, .closes = milestone::kFlowEnd,
     .help = "true from the first encrypted message on; false once a command on a share came in the clear before (MS-SMB2 2.2.41)."},
    {.id = kCompressed, .name = "smb.compressed", .type = FieldType::Boolean, .scope = Scope::Flow, .closes = milestone::kFlowEnd,
     .help = "true from the first compressed message on (MS-SMB2 2.2.42)."},
};

}  // namespace weir::proto::smb
