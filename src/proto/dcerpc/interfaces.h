// SPDX-License-Identifier: Apache-2.0
#pragma once

// Interfaces by UUID, with the names that Microsoft's open specifications give them.

#include <optional>
#include <string_view>

namespace weir::proto::dcerpc {

struct KnownInterface {
  std::string_view uuid, name;
};

inline constexpr KnownInterface kKnownInterfaces[] = {
    {"367abb81-9844-35f1-ad32-98f038001003", "svcctl"},             // MS-SCMR
    {"1ff70682-0a51-30e8-076d-740be8cee98b", "atsvc"},              // MS-TSCH
    {"378e52b0-c0a9-11cf-822d-00aa0051e40f", "sasec"},              // MS-TSCH
    {"86d35949-83c9-4044-b424-db363231fd0c", "itaskschedulerservice"},  // MS-TSCH
    {"12345778-1234-abcd-ef00-0123456789ac", "samr"},               // MS-SAMR
    {"12345778-1234-abcd-ef00-0123456789ab", "lsarpc"},             // MS-LSAD
    {"3919286a-b10c-11d0-9ba8-00c04fd92ef5", "dssetup"},            // MS-DSSP
    {"12345678-1234-abcd-ef00-01234567cffb", "netlogon"},           // MS-NRPC
    {"c681d488-d850-11d0-8c52-00c04fd90f7e", "efsrpc"},             // MS-EFSR over lsarpc
    {"df1941c5-fe89-4e79-bf10-463657acf44d", "efsrpc"},             // MS-EFSR over efsrpc
    {"e3514235-4b06-11d1-ab04-00c04fc2dcd2", "drsuapi"},            // MS-DRSR
    {"338cd001-2244-31f1-aaaa-900038001003", "winreg"},             // MS-RRP
    {"4b324fc8-1670-01d3-1278-5a47bf6ee188", "srvsvc"},             // MS-SRVS
    {"6bffd098-a112-3610-9833-46c3f87e345a", "wkssvc"},             // MS-WKST
    {"6bffd098-a112-3610-9833-012892020162", "browser"},            // MS-BRWSA
    {"12345678-1234-abcd-ef00-0123456789ab", "spoolss"},            // MS-RPRN
    {"76f03f96-cdfd-44fc-a22c-64950a001209", "iremotewinspool"},    // MS-PAR
    {"e1af8308-5d1f-11c9-91a4-08002b14a0fa", "epm"},                // C706 appendix O
    {"afa8bd80-7d8a-11c9-bef4-08002b102989", "mgmt"},               // C706 appendix Q
    {"000001a0-0000-0000-c000-000000000046", "isystemactivator"},   // MS-DCOM
    {"4d9f4ab8-7d1c-11cf-861e-0020af6e7c57", "iactivation"},        // MS-DCOM
    {"00000131-0000-0000-c000-000000000046", "iremunknown"},        // MS-DCOM
    {"00000143-0000-0000-c000-000000000046", "iremunknown2"},       // MS-DCOM
    {"99fcfec4-5260-101b-bbcb-00aa0021347a", "ioxidresolver"},      // MS-DCOM
    {"9556dc99-828c-11cf-a37e-00aa003240c7", "iwbemservices"},      // MS-WMI
    {"f309ad18-d86a-11d0-a075-00c04fb68820", "iwbemlevel1login"},   // MS-WMI
    {"82273fdc-e32a-18c3-3f78-827929dc23ea", "eventlog"},           // MS-EVEN
    {"f6beaff7-1e19-4fbb-9f8f-b89e2018337c", "even6"},              // MS-EVEN6
    {"894de0c0-0d55-11d3-a322-00c04fa321a1", "initshutdown"},       // MS-RSP
    {"4fc742e0-4a10-11cf-8273-00aa004ae673", "netdfs"},             // MS-DFSNM
    {"a8e0653c-2744-4389-a61d-7373df8b2292", "fsrvp"},              // MS-FSRVP
    {"3dde7c30-165d-11d1-ab8f-00805f14db40", "backupkey"},          // MS-BKRP
    {"50abc2a4-574d-40b3-9d66-ee4fd5fba076", "dnsserver"},          // MS-DNSP
    {"300f3532-38cc-11d0-a3f0-0020af6b0add", "trkwks"},             // MS-DLTW
    {"f5cc5a18-4264-101a-8c59-08002b2f8426", "nspi"},               // MS-NSPI
    {"8d9f4e40-a03d-11ce-8f69-08003e30051b", "pnp"},
};
static_assert(std::size(kKnownInterfaces) < 128);

}  // namespace weir::proto::dcerpc
