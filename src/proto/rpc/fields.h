// SPDX-License-Identifier: Apache-2.0
#pragma once

// Facts of ONC RPC (RFC 5531) and of NFS and MOUNT on it. Programs by the names that `/etc/rpc` gives them.

#include "facts/field_ids.h"

namespace weir::proto::rpc {

enum : FieldId { kProgram = 315, kVersion, kProcedure, kOperation, kPath };

inline constexpr std::uint8_t kCalled = milestone::kOwn;  ///< The call is read.

inline constexpr std::uint32_t kPortmap = 100000, kNfs = 100003, kMount = 100005;

/// Operations of NFS in all its versions, and how version 4 numbers them (RFC 7530, 16; RFC 8881, 18); what only older ones have is numbered from 200 on.
enum class Operation : std::uint8_t {
  Access = 3, Close, Commit, Create, DelegPurge, DelegReturn, GetAttr, GetFh, Link, Lock, LockTest, Unlock, Lookup, LookupParent, VerifyNot, Open,
  OpenAttr, OpenConfirm, OpenDowngrade, PutFh, PutPublicFh, PutRootFh, Read, ReadDir, ReadLink, Remove, Rename, Renew, RestoreFh, SaveFh, SecInfo,
  SetAttr, SetClientId, ConfirmClientId, Verify, Write, ReleaseLockOwner, ExchangeId = 42, CreateSession, DestroySession, Sequence = 53, ReclaimComplete = 58,
  Null = 200, MakeDir, SymLink, MakeNode, RemoveDir, ReadDirPlus, FsStat, FsInfo, PathConf, Root, WriteCache,
};

inline constexpr Word kPrograms[] = {{"portmap", 100000}, {"rstatd", 100001}, {"rusersd", 100002}, {"nfs", 100003}, {"ypserv", 100004}, {"mountd", 100005},
                                     {"ypbind", 100007}, {"walld", 100008}, {"yppasswdd", 100009}, {"rquotad", 100011}, {"sprayd", 100012},
                                     {"nlockmgr", 100021}, {"status", 100024}, {"ypxfrd", 100069}, {"cmsd", 100068}, {"ttdbserver", 100083},
                                     {"nfs_acl", 100227}, {"sadmind", 100232}};
inline constexpr Word kOperations[] = {
    {"access", 3}, {"close", 4}, {"commit", 5}, {"create", 6}, {"delegpurge", 7}, {"delegreturn", 8}, {"getattr", 9}, {"getfh", 10}, {"link", 11},
    {"lock", 12}, {"lockt", 13}, {"locku", 14}, {"lookup", 15}, {"lookupp", 16}, {"nverify", 17}, {"open", 18}, {"openattr", 19}, {"open_confirm", 20},
    {"open_downgrade", 21}, {"putfh", 22}, {"putpubfh", 23}, {"putrootfh", 24}, {"read", 25}, {"readdir", 26}, {"readlink", 27}, {"remove", 28},
    {"rename", 29}, {"renew", 30}, {"restorefh", 31}, {"savefh", 32}, {"secinfo", 33}, {"setattr", 34}, {"setclientid", 35},
    {"setclientid_confirm", 36}, {"verify", 37}, {"write", 38}, {"release_lockowner", 39}, {"exchange_id", 42}, {"create_session", 43},
    {"destroy_session", 44}, {"sequence", 53}, {"reclaim_complete", 58}, {"null", 200}, {"mkdir", 201}, {"symlink", 202}, {"mknod", 203}, {"rmdir", 204},
    {"readdirplus", 205}, {"fsstat", 206}, {"fsinfo", 207}, {"pathconf", 208}, {"root", 209}, {"writecache", 210}};

// clang-format off
inline constexpr FieldRow kFields[] = {
    {kProgram, "rpc.program", FieldType::Number, Scope::Transaction, kCalled, false, on::kAll, kPrograms, "Program that a call asks (RFC 5531, 9), by number or name: portmap, nfs, mountd, nlockmgr …"},
    {kVersion, "rpc.version", FieldType::Number, Scope::Transaction, kCalled, false, on::kAll, {}, "Version of that program: 2 to 4 of NFS."},
    {kProcedure, "rpc.procedure", FieldType::Number, Scope::Transaction, kCalled, false, on::kAll, {}, "Procedure of that program, by its number."},
    {kOperation, "nfs.operation", FieldType::Word, Scope::Transaction, kCalled, true, on::kAll, kOperations, "What an NFS call does, whatever the version; several in a COMPOUND of version 4 (RFC 7530, 16)."},
    {kPath, "nfs.path", FieldType::Text, Scope::Transaction, kCalled, false, on::kAll, {}, "Path that a client mounts or unmounts (RFC 1813, appendix I)."},
};
// clang-format on
inline constexpr FieldId kShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme, field::kAuthResult,
                                      field::kFileType, field::kFileName,  field::kFileBytes};

}  // namespace weir::proto::rpc
