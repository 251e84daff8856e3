// SPDX-License-Identifier: Apache-2.0
#include "datapath/capture/link_type.h"

#include <string_view>

namespace weir::datapath {
namespace {

struct Row {
  std::uint16_t number;
  std::string_view name;
  std::optional<LinkType> link = std::nullopt;
};

// 12 and 14 are no LINKTYPE_ numbers but what BSD systems wrote as DLT_RAW into files of theirs.
constexpr Row kRows[] = {
    {0, "NULL", LinkType::Null},
    {1, "ETHERNET", LinkType::Ethernet},
    {3, "AX25"},
    {6, "IEEE802_5"},
    {7, "ARCNET_BSD"},
    {8, "SLIP"},
    {9, "PPP"},
    {10, "FDDI"},
    {12, "RAW", LinkType::RawIp},
    {14, "RAW", LinkType::RawIp},
    {50, "PPP_HDLC"},
    {51, "PPP_ETHER"},
    {99, "SYMANTEC_FIREWALL"},
    {100, "ATM_RFC1483"},
    {101, "RAW", LinkType::RawIp},
    {104, "C_HDLC", LinkType::CiscoHdlc},
    {105, "IEEE802_11"},
    {107, "FRELAY"},
    {108, "LOOP", LinkType::Null},
    {113, "LINUX_SLL", LinkType::Sll},
    {114, "LTALK"},
    {117, "PFLOG"},
    {119, "IEEE802_11_PRISM"},
    {122, "IP_OVER_FC"},
    {123, "SUNATM"},
    {127, "IEEE802_11_RADIOTAP"},
    {129, "ARCNET_LINUX"},
    {138, "APPLE_IP_OVER_IEEE1394"},
    {140, "MTP2"},
    {141, "MTP3"},
    {142, "SCCP"},
    {143, "DOCSIS"},
    {144, "LINUX_IRDA"},
    {147, "USER0"},
    {149, "USER2"},
    {162, "USER15"},
    {163, "IEEE802_11_AVS"},
    {166, "PPP_PPPD"},
    {177, "LINUX_LAPD"},
    {187, "BLUETOOTH_HCI_H4"},
    {189, "USB_LINUX"},
    {190, "CAN20B"},
    {192, "PPI", LinkType::Ppi},
    {195, "IEEE802_15_4_WITHFCS"},
    {197, "ERF"},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR"},
    {203, "LAPD"},
    {204, "PPP_WITH_DIR"},
    {209, "IPMB_LINUX"},
    {215, "IEEE802_15_4_NONASK_PHY"},
    {220, "USB_LINUX_MMAPPED"},
    {225, "IPNET"},
    {227, "CAN_SOCKETCAN"},
    {228, "IPV4", LinkType::RawIp},
    {229, "IPV6", LinkType::RawIp},
    {230, "IEEE802_15_4_NOFCS"},
    {231, "DBUS"},
    {239, "NFLOG"},
    {240, "NETANALYZER"},
    {242, "IPOIB"},
    {243, "MPEG_2_TS"},
    {245, "NFC_LLCP"},
    {247, "INFINIBAND"},
    {248, "SCTP"},
    {249, "USBPCAP"},
    {251, "BLUETOOTH_LE_LL"},
    {252, "WIRESHARK_UPPER_PDU"},
    {253, "NETLINK"},
    {254, "BLUETOOTH_LINUX_MONITOR"},
    {256, "BLUETOOTH_LE_LL_WITH_PHDR"},
    {258, "PKTAP"},
    {259, "EPON"},
    {265, "USB_DARWIN"},
    {270, "ZWAVE_R3"},
    {272, "NORDIC_BLE"},
    {276, "LINUX_SLL2", LinkType::Sll2},
    {279, "EBHSCR"},
    {280, "VPP_DISPATCH"},
    {283, "IEEE802_15_4_TAP"},
    {288, "USB_2_0"},
};

const Row* row_of(std::uint32_t number) {
  for (const Row& row : kRows)
    if (row.number == number) return &row;
  return nullptr;
}

}  // namespace

std::optional<LinkType> link_of(std::uint32_t number) {
  const Row* row = row_of(number);
  return row ? row->link : std::nullopt;
}

std::uint16_t number_of(LinkType link) {
  switch (link) {
    case LinkType::Ethernet: return 1;
    case LinkType::RawIp: return 101;
    case LinkType::Null: return 0;
    case LinkType::Sll: return 113;
    case LinkType::Sll2: return 276;
    case LinkType::CiscoHdlc: return 104;
    case LinkType::Ppi: return 192;
  }
  return 1;
}

std::string link_name(std::uint32_t number) {
  const Row* row = row_of(number);
  if (!row) return "link type " + std::to_string(number);
  return "LINKTYPE_" + std::string(row->name) + " (" + std::to_string(number) + ")";
}

std::string link_problem(std::uint32_t number) {
  return link_name(number) + " is not read; ETHERNET, RAW, IPV4, IPV6, NULL, LOOP, C_HDLC, PPI, LINUX_SLL and LINUX_SLL2 are";
}

}  // namespace weir::datapath
