// SPDX-License-Identifier: Apache-2.0
#pragma once

// Netlink: messages to the kernel's netfilter (linux/netfilter/nfnetlink.h), many in one buffer, and what it answers. One socket, one
// thread. The kernel works on a request before the call that sends it returns, so that answers are there at once.

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::datapath {

/// Messages one behind the other. A message has to be ended before the next begins; nested attributes likewise.
class NetlinkBatch {
 public:
  explicit NetlinkBatch(std::size_t bytes_max) : buffer_(bytes_max) {}

  void clear() { used_ = 0, count_ = 0, full_ = false; }
  bool empty() const { return used_ == 0; }
  /// Something had no room: the batch must not be sent.
  bool full() const { return full_; }
  std::size_t room() const { return buffer_.size() - used_; }
  std::size_t count() const { return count_; }
  std::span<const std::uint8_t> bytes() const { return {buffer_.data(), used_}; }

  /// `type`: subsystem and message, as the kernel's headers join them.
  void begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family, std::uint16_t resource = 0);
  void end();

  void put(std::uint16_t attribute, const void* bytes, std::size_t size);
  void put_be32(std::uint16_t attribute, std::uint32_t value);
  void put_be64(std::uint16_t attribute, std::uint64_t value);
  void put_be16(std::uint16_t attribute, std::uint16_t value);
  void put_u8(std::uint16_t attribute, std::uint8_t value) { put(attribute, &value, 1); }
  /// With the zero behind it.
  void put_text(std::uint16_t attribute, std::string_view text);
  /// Gives the place to end it with.
  std::size_t begin_nested(std::uint16_t attribute);
  void end_nested(std::size_t place);

 private:
  std::uint8_t* take(std::size_t size);

  std::vector<std::uint8_t> buffer_;
  std::size_t used_ = 0, message_ = 0, count_ = 0;
  std::uint32_t sequence_ = 0;
  bool full_ = false;
};

/// An attribute as it lies in a message.
struct Attribute {
  std::uint16_t type = 0;  ///< Without the flag for nested ones.
  std::span<const std::uint8_t> bytes;
  std::uint8_t u8() const { return bytes.empty() ? std::uint8_t{0} : bytes[0]; }
  std::uint16_t be16() const;
  std::uint32_t be32() const;
  std::uint64_t be64() const;
};

/// Calls with each attribute of `bytes`; stops at what does not fit.
void for_each_attribute(std::span<const std::uint8_t> bytes, const std::function<void(const Attribute&)>& call);

/// The attributes of a message of netfilter, behind its own header; empty if it is too short.
std::span<const std::uint8_t> attributes_of(const nlmsghdr& message);

class Netlink {
 public:
  Netlink() = default;
  ~Netlink();
  Netlink(Netlink&& other) noexcept;
  Netlink& operator=(Netlink&& other) noexcept;

  static Result<Netlink> open();
  int fd() const { return fd_; }
  void close();

  /// Sends the batch without looking for an answer.
  std::optional<Error> send(const NetlinkBatch& batch);
  /// Sends it and calls with each answer. The first error that the kernel tells, if any; what the answers of other messages are is told
  /// all the same. Messages without NLM_F_ACK answer only where they fail.
  std::optional<Error> ask(const NetlinkBatch& batch, const std::function<void(const nlmsghdr& message)>& call = {});

 private:
  int fd_ = -1;
  std::vector<std::uint8_t> answer_;
};

}  // namespace weir::datapath
