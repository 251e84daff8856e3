// SPDX-License-Identifier: Apache-2.0
#pragma once

// One fact each of protocols that need no parser of their own: what a message asks for, read from its first bytes. Every
// message that is told apart is a transaction. On streams only what can be framed cheaply is followed; the first message that cannot be
// ends the reading, so a fact is never taken from the middle of a body.

#include "facts/field_ids.h"
#include "proto/protocol.h"

namespace weir::proto::identify {

/// Streams: bytes of each side's message that are still to be passed over need no memory; only whether reading goes on does.
struct OneFactState {
  std::uint8_t over[2];
};

/// STUN shares its datagrams with what it opened the path for.
struct StunState {
  OneFactState one;
  bool modern;          ///< A message had the magic cookie (RFC 5389 and later): ICE and TURN have it.
  bool closed;          ///< Nothing comes behind it any more: it is a stream, or RTP has been seen.
  std::uint8_t head[2][12];  ///< Of each side's last packet that could be RTP.
};

enum : FieldId { kSipMethod = 305, kSsdpMethod = 309, kStunMethod, kMemcachedCommand, kRedisCommand, kDnp3Function, kModbusFunction };

namespace words {
inline constexpr Word kStun[] = {{"binding", 1}, {"allocate", 3}, {"refresh", 4}, {"send", 6}, {"data", 7}, {"create-permission", 8}, {"channel-bind", 9}};
inline constexpr Word kModbus[] = {{"read-coils", 1}, {"read-discrete-inputs", 2}, {"read-holding-registers", 3}, {"read-input-registers", 4},
                                   {"write-single-coil", 5}, {"write-single-register", 6}, {"diagnostics", 8}, {"write-multiple-coils", 15},
                                   {"write-multiple-registers", 16}, {"report-server-id", 17}, {"mask-write-register", 22},
                                   {"read-write-multiple-registers", 23}, {"device-identification", 43}};
inline constexpr Word kDnp3[] = {{"confirm", 0}, {"read", 1}, {"write", 2}, {"select", 3}, {"operate", 4}, {"direct-operate", 5}, {"direct-operate-no-ack", 6},
                                 {"cold-restart", 13}, {"warm-restart", 14}, {"initialize-data", 15}, {"initialize-application", 16},
                                 {"start-application", 17}, {"stop-application", 18}, {"save-configuration", 19}, {"enable-unsolicited", 20},
                                 {"disable-unsolicited", 21}, {"response", 129}, {"unsolicited-response", 130}};
}  // namespace words

inline constexpr FieldRow kSipFields[] = {{.id = kSipMethod, .name = "sip.method", .type = FieldType::Text, .scope = Scope::Transaction,
                                           .closes = milestone::kTransaction, .help = "Method of a SIP request (RFC 3261)."}};
inline constexpr FieldId kSipShared[] = {field::kAuthUser, field::kAuthRealm, field::kAuthScheme};
inline constexpr FieldRow kSsdpFields[] = {{.id = kSsdpMethod, .name = "ssdp.method", .type = FieldType::Text, .scope = Scope::Transaction,
                                            .closes = milestone::kTransaction, .help = "M-SEARCH or NOTIFY; absent in answers."}};
inline constexpr FieldRow kStunFields[] = {{.id = kStunMethod, .name = "stun.method", .type = FieldType::Number, .scope = Scope::Transaction,
                                            .closes = milestone::kTransaction, .words = words::kStun, .help = "Method of a STUN or TURN message (RFC 8489, RFC 8656)."}};
inline constexpr FieldRow kMemcachedFields[] = {{.id = kMemcachedCommand, .name = "memcached.command", .type = FieldType::TextFold, .scope = Scope::Transaction,
                                                 .closes = milestone::kTransaction, .help = "Command of a memcached request of the text protocol."}};
inline constexpr FieldRow kRedisFields[] = {{.id = kRedisCommand, .name = "redis.command", .type = FieldType::TextFold, .scope = Scope::Transaction,
                                             .closes = milestone::kTransaction, .help = "Command of a Redis request."}};
inline constexpr FieldRow kDnp3Fields[] = {{.id = kDnp3Function, .name = "dnp3.function", .type = FieldType::Number, .scope = Scope::Transaction,
                                            .closes = milestone::kTransaction, .words = words::kDnp3, .help = "Application function of a DNP3 message (IEEE 1815)."}};
inline constexpr FieldRow kModbusFields[] = {{.id = kModbusFunction, .name = "modbus.function", .type = FieldType::Number, .scope = Scope::Transaction,
                                              .closes = milestone::kTransaction, .words = words::kModbus, .help = "Function code of a Modbus request."}};

Progress parse_sip(OneFactState& state, const Input& input, Describer& describer);
Progress parse_ssdp(OneFactState& state, const Input& input, Describer& describer);
Progress parse_stun(StunState& state, const Input& input, Describer& describer);
Progress parse_memcached(OneFactState& state, const Input& input, Describer& describer);
Progress parse_redis(OneFactState& state, const Input& input, Describer& describer);
Progress parse_dnp3(OneFactState& state, const Input& input, Describer& describer);
Progress parse_modbus(OneFactState& state, const Input& input, Describer& describer);

}  // namespace weir::proto::identify
