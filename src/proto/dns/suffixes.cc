// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/suffixes.h"

#include <algorithm>

namespace weir::proto::dns {
namespace {

// Sorted, so that a search by halves finds them: 1196 of two labels, 17 of three.
// clang-format off
constexpr std::string_view kOfTwoLabels[] = {
    "2000.hu", "3utilities.com", "ac.ae", "ac.at", "ac.bd", "ac.be", "ac.ci", "ac.cn", "ac.cr", "ac.cy", "ac.eg", "ac.fj",
    "ac.id", "ac.il", "ac.in", "ac.ir", "ac.jp", "ac.ke", "ac.kr", "ac.lk", "ac.ls", "ac.ma", "ac.mg", "ac.mu", "ac.mz",
    "ac.ni", "ac.nz", "ac.pa", "ac.pg", "ac.pk", "ac.pr", "ac.rs", "ac.ru", "ac.rw", "ac.sz", "ac.th", "ac.tz", "ac.ug",
    "ac.uk", "ac.vn", "ac.za", "ac.zm", "ac.zw", "ad.jp", "adm.br", "adv.br", "adv.mz", "afraid.org", "agr.br", "agrar.hu",
    "agric.za", "agro.pl", "aid.pl", "aip.ee", "akadns.net", "akamaiedge.net", "akamaized.net", "aland.fi", "alt.za",
    "am.br", "app.br", "appspot.com", "art.br", "art.do", "art.dz", "art.sn", "arts.ro", "asn.au", "asn.lv", "assn.lk",
    "asso.ci", "asso.dz", "asso.fr", "asso.nc", "atm.pl", "ato.br", "auto.pl", "av.tr", "awsapprunner.com", "azureedge.net",
    "azurefd.net", "azurewebsites.net", "b.br", "bbs.tr", "bel.tr", "bet.ar", "bio.br", "biz.az", "biz.bb", "biz.cy",
    "biz.et", "biz.fj", "biz.id", "biz.ls", "biz.my", "biz.ni", "biz.pk", "biz.pl", "biz.pr", "biz.tr", "biz.tt", "biz.vn",
    "biz.zm", "blog.br", "blogspot.com", "bmd.br", "bolt.hu", "bounceme.net", "br.com", "busan.kr", "chickenkiller.com",
    "cloudapp.net", "cloudfront.net", "cloudfunctions.net", "club.tw", "cn.com", "co.ae", "co.ag", "co.am", "co.ao",
    "co.at", "co.bb", "co.bw", "co.bz", "co.ci", "co.cl", "co.cm", "co.com", "co.cr", "co.cz", "co.gy", "co.hu", "co.id",
    "co.il", "co.in", "co.ir", "co.jp", "co.ke", "co.kr", "co.lc", "co.ls", "co.ma", "co.mg", "co.mu", "co.mz", "co.na",
    "co.ni", "co.nl", "co.no", "co.nz", "co.om", "co.pw", "co.rs", "co.rw", "co.sz", "co.th", "co.tt", "co.tz", "co.ug",
    "co.uk", "co.uz", "co.ve", "co.za", "co.zm", "co.zw", "com.af", "com.ag", "com.al", "com.am", "com.ar", "com.au",
    "com.az", "com.ba", "com.bb", "com.bd", "com.bh", "com.bo", "com.br", "com.bs", "com.by", "com.bz", "com.ci", "com.cm",
    "com.cn", "com.co", "com.cu", "com.cv", "com.cy", "com.do", "com.dz", "com.ec", "com.ee", "com.eg", "com.es", "com.et",
    "com.fj", "com.fr", "com.ge", "com.gh", "com.gr", "com.gt", "com.gy", "com.hk", "com.hn", "com.hr", "com.iq", "com.jm",
    "com.jo", "com.kh", "com.kw", "com.kz", "com.lb", "com.lc", "com.lk", "com.lv", "com.ly", "com.mg", "com.mk", "com.mm",
    "com.mo", "com.mt", "com.mu", "com.mx", "com.my", "com.na", "com.ng", "com.ni", "com.np", "com.om", "com.pa", "com.pe",
    "com.pg", "com.ph", "com.pk", "com.pl", "com.pr", "com.ps", "com.pt", "com.py", "com.qa", "com.ro", "com.ru", "com.sa",
    "com.sd", "com.sg", "com.sn", "com.sv", "com.sy", "com.tn", "com.to", "com.tr", "com.tt", "com.tw", "com.ua", "com.ug",
    "com.uy", "com.uz", "com.ve", "com.vn", "com.ws", "com.ye", "com.zm", "commune.am", "conf.lv", "coop.ar", "coop.br",
    "coop.py", "coop.rw", "crabdance.com", "cri.nz", "ddns.me", "ddns.net", "de.com", "deno.dev", "desa.id", "dev.br",
    "dni.us", "dnsalias.com", "dnsalias.org", "dp.ua", "dr.tr", "duckdns.org", "dyndns.biz", "dyndns.info", "dyndns.org",
    "dyndns.tv", "dynu.net", "dynv6.net", "e164.arpa", "ebiz.tw", "ecn.br", "eco.br", "ed.ao", "ed.ci", "ed.cr", "ed.jp",
    "edgekey.net", "edgesuite.net", "edu.af", "edu.al", "edu.ar", "edu.au", "edu.az", "edu.ba", "edu.bb", "edu.bd",
    "edu.bh", "edu.bo", "edu.br", "edu.bs", "edu.bz", "edu.ci", "edu.cn", "edu.co", "edu.cu", "edu.cv", "edu.do", "edu.dz",
    "edu.ec", "edu.ee", "edu.eg", "edu.es", "edu.et", "edu.ge", "edu.gh", "edu.gr", "edu.gt", "edu.gy", "edu.hk", "edu.hn",
    "edu.in", "edu.iq", "edu.it", "edu.jm", "edu.jo", "edu.kh", "edu.kw", "edu.kz", "edu.lb", "edu.lc", "edu.lk", "edu.ls",
    "edu.lv", "edu.ly", "edu.mg", "edu.mk", "edu.mm", "edu.mo", "edu.mt", "edu.mx", "edu.my", "edu.mz", "edu.ng", "edu.ni",
    "edu.np", "edu.om", "edu.pa", "edu.pe", "edu.ph", "edu.pk", "edu.pl", "edu.pr", "edu.ps", "edu.pt", "edu.py", "edu.qa",
    "edu.rs", "edu.ru", "edu.sa", "edu.sd", "edu.sg", "edu.sn", "edu.sv", "edu.sy", "edu.to", "edu.tr", "edu.tt", "edu.tw",
    "edu.ua", "edu.ug", "edu.uy", "edu.ve", "edu.vn", "edu.ws", "edu.ye", "edu.za", "edu.zm", "ekloges.cy",
    "elasticbeanstalk.com", "emb.kw", "emp.br", "eng.br", "ens.tn", "es.kr", "esp.br", "est.pr", "etc.br", "eu.com",
    "eun.eg", "fam.pk", "far.br", "fastly.net", "fastlylb.net", "fed.us", "fi.cr", "fie.ee", "fin.ec", "fin.tn",
    "firebaseapp.com", "firm.in", "firm.ro", "firm.ve", "flog.br", "fly.dev", "fm.br", "freeddns.org", "from.hr", "g12.br",
    "game.tw", "gb.net", "gc.ca", "geek.nz", "gen.in", "gen.nz", "gen.tr", "github.io", "githubusercontent.com",
    "gitlab.io", "glitch.me", "gmina.pl", "go.ci", "go.cr", "go.id", "go.jp", "go.ke", "go.kr", "go.th", "go.tz", "go.ug",
    "gob.ar", "gob.bo", "gob.cl", "gob.cu", "gob.do", "gob.ec", "gob.es", "gob.gt", "gob.hn", "gob.mx", "gob.ni", "gob.pa",
    "gob.pe", "gob.sv", "gob.ve", "gok.pk", "gouv.ci", "gouv.fr", "gouv.sn", "gov.ae", "gov.af", "gov.al", "gov.ar",
    "gov.au", "gov.az", "gov.ba", "gov.bb", "gov.bd", "gov.bh", "gov.br", "gov.bs", "gov.by", "gov.bz", "gov.cd", "gov.cl",
    "gov.cm", "gov.cn", "gov.co", "gov.cy", "gov.cz", "gov.do", "gov.dz", "gov.ec", "gov.ee", "gov.eg", "gov.et", "gov.fj",
    "gov.ge", "gov.gh", "gov.gr", "gov.gy", "gov.hk", "gov.ie", "gov.il", "gov.in", "gov.iq", "gov.ir", "gov.it", "gov.jm",
    "gov.jo", "gov.kh", "gov.kw", "gov.kz", "gov.lb", "gov.lc", "gov.lk", "gov.ls", "gov.lt", "gov.lv", "gov.ly", "gov.ma",
    "gov.mg", "gov.mk", "gov.mm", "gov.mo", "gov.mu", "gov.my", "gov.mz", "gov.ng", "gov.np", "gov.om", "gov.pg", "gov.ph",
    "gov.pk", "gov.pl", "gov.pr", "gov.ps", "gov.pt", "gov.py", "gov.qa", "gov.rs", "gov.ru", "gov.rw", "gov.sa", "gov.sd",
    "gov.sg", "gov.si", "gov.sy", "gov.tn", "gov.to", "gov.tr", "gov.tt", "gov.tw", "gov.ua", "gov.ug", "gov.uk", "gov.ve",
    "gov.vn", "gov.ws", "gov.ye", "gov.za", "gov.zm", "gov.zw", "govt.nz", "gr.jp", "grondar.za", "grp.lk", "gsm.pl",
    "gub.uy", "gv.ao", "gv.at", "health.nz", "health.vn", "herokuapp.com", "homeip.net", "homelinux.com", "homelinux.org",
    "homeunix.org", "hopto.org", "hotel.lk", "hotel.tz", "hs.kr", "i.ng", "i.ph", "id.au", "id.ir", "id.lv", "id.ly",
    "idf.il", "idv.hk", "idv.tw", "ignorelist.com", "in-addr.arpa", "in.ni", "in.rs", "in.th", "in.ua", "ind.br", "ind.gt",
    "ind.in", "ind.kw", "ind.tn", "inf.br", "inf.cu", "inf.mk", "info.az", "info.bb", "info.bd", "info.ec", "info.et",
    "info.fj", "info.hu", "info.ke", "info.ls", "info.ni", "info.pk", "info.pl", "info.pr", "info.ro", "info.sd", "info.tn",
    "info.tr", "info.tt", "info.tz", "info.ve", "info.vn", "info.zm", "ing.pa", "int.ar", "int.az", "int.bo", "int.ci",
    "int.cv", "int.lk", "int.ni", "int.pt", "int.ru", "int.tt", "int.vn", "intl.tn", "io.vn", "ip6.arpa", "is-a-geek.com",
    "isa.us", "isla.pr", "it.ao", "iwi.nz", "iz.hr", "jpn.com", "jumpingcrab.com", "jus.br", "k12.il", "k12.tr", "kep.tr",
    "kg.kr", "kharkov.ua", "kids.us", "kiev.ua", "kiwi.nz", "krakow.pl", "kyiv.ua", "law.za", "leg.br", "lg.jp", "lib.ee",
    "loca.lt", "log.br", "ltd.cy", "ltd.lk", "ltd.uk", "lviv.ua", "mail.pl", "maori.nz", "me.ke", "me.tz", "me.uk",
    "med.br", "med.ec", "med.ee", "med.ly", "med.om", "med.pa", "med.sa", "med.sd", "mi.th", "mil.ae", "mil.al", "mil.ar",
    "mil.az", "mil.ba", "mil.bd", "mil.bo", "mil.br", "mil.by", "mil.cl", "mil.cn", "mil.co", "mil.cy", "mil.do", "mil.ec",
    "mil.eg", "mil.fj", "mil.ge", "mil.gh", "mil.gt", "mil.hn", "mil.id", "mil.in", "mil.iq", "mil.jm", "mil.jo", "mil.kh",
    "mil.kr", "mil.kz", "mil.lv", "mil.mg", "mil.my", "mil.mz", "mil.ng", "mil.ni", "mil.no", "mil.np", "mil.nz", "mil.pe",
    "mil.pg", "mil.ph", "mil.pl", "mil.py", "mil.qa", "mil.ru", "mil.rw", "mil.sy", "mil.to", "mil.tr", "mil.tw", "mil.tz",
    "mil.ug", "mil.uy", "mil.ve", "mil.ye", "mil.za", "mil.zm", "mil.zw", "mincom.tn", "mobi.ke", "mobi.ng", "mobi.tt",
    "mobi.tz", "mooo.com", "mp.br", "ms.kr", "msk.ru", "muni.il", "museum.om", "musica.ar", "mutual.ar", "my.id",
    "myftp.biz", "myftp.org", "myqnapcloud.com", "myshopify.com", "myvnc.com", "name.az", "name.eg", "name.et", "name.fj",
    "name.hr", "name.jo", "name.mk", "name.my", "name.ng", "name.pr", "name.qa", "name.tr", "name.tt", "name.vn", "nat.cu",
    "nat.tn", "ne.jp", "ne.ke", "ne.kr", "ne.tz", "ne.ug", "net.ae", "net.af", "net.ag", "net.al", "net.am", "net.ar",
    "net.au", "net.az", "net.ba", "net.bb", "net.bd", "net.bh", "net.bo", "net.br", "net.bs", "net.bz", "net.ci", "net.cm",
    "net.cn", "net.co", "net.cu", "net.cy", "net.do", "net.dz", "net.ec", "net.eg", "net.et", "net.fj", "net.ge", "net.gr",
    "net.gt", "net.gy", "net.hk", "net.hn", "net.id", "net.il", "net.in", "net.iq", "net.ir", "net.jm", "net.jo", "net.kh",
    "net.kw", "net.kz", "net.lb", "net.lc", "net.lk", "net.ls", "net.lv", "net.ly", "net.ma", "net.mk", "net.mm", "net.mo",
    "net.mt", "net.mu", "net.mx", "net.my", "net.mz", "net.ng", "net.ni", "net.np", "net.nz", "net.om", "net.pa", "net.pe",
    "net.pg", "net.ph", "net.pk", "net.pl", "net.pr", "net.ps", "net.pt", "net.py", "net.qa", "net.ru", "net.rw", "net.sa",
    "net.sd", "net.sg", "net.sy", "net.th", "net.tn", "net.to", "net.tr", "net.tt", "net.tw", "net.ua", "net.uk", "net.uy",
    "net.uz", "net.ve", "net.vn", "net.ws", "net.ye", "net.za", "net.zm", "netlify.app", "ngo.lk", "ngo.ph", "ngo.za",
    "ngrok-free.app", "ngrok.app", "ngrok.io", "nhs.uk", "nic.in", "nic.za", "nieruchomosci.pl", "nis.ls", "nis.za",
    "no-ip.biz", "no-ip.info", "no-ip.org", "noip.me", "noip.us", "nom.ag", "nom.br", "nom.co", "nom.es", "nom.fr",
    "nom.mg", "nom.nc", "nom.ni", "nom.pa", "nom.pe", "nom.pl", "nom.ro", "nom.za", "nome.cv", "nome.pt", "nov.ru",
    "nsn.us", "nt.ro", "odessa.ua", "of.by", "og.ao", "ong.br", "onrender.com", "or.at", "or.ci", "or.cr", "or.id", "or.jp",
    "or.ke", "or.kr", "or.mu", "or.th", "or.tz", "or.ug", "org.ae", "org.af", "org.ag", "org.al", "org.am", "org.ar",
    "org.au", "org.az", "org.ba", "org.bb", "org.bd", "org.bh", "org.bo", "org.br", "org.bs", "org.bw", "org.bz", "org.ci",
    "org.cn", "org.co", "org.cu", "org.cv", "org.cy", "org.do", "org.dz", "org.ec", "org.ee", "org.eg", "org.es", "org.et",
    "org.fj", "org.ge", "org.gh", "org.gr", "org.gt", "org.gy", "org.hk", "org.hn", "org.hu", "org.il", "org.in", "org.iq",
    "org.ir", "org.jm", "org.jo", "org.kh", "org.kw", "org.kz", "org.lb", "org.lc", "org.lk", "org.ls", "org.lv", "org.ly",
    "org.ma", "org.mg", "org.mk", "org.mm", "org.mo", "org.mt", "org.mu", "org.mx", "org.my", "org.mz", "org.ng", "org.ni",
    "org.np", "org.nz", "org.om", "org.pa", "org.pe", "org.pg", "org.ph", "org.pk", "org.pl", "org.pr", "org.ps", "org.pt",
    "org.py", "org.qa", "org.ro", "org.rs", "org.ru", "org.rw", "org.sa", "org.sd", "org.se", "org.sg", "org.sn", "org.sv",
    "org.sy", "org.sz", "org.tn", "org.to", "org.tr", "org.tt", "org.tw", "org.ua", "org.ug", "org.uk", "org.uy", "org.uz",
    "org.ve", "org.vn", "org.ws", "org.ye", "org.za", "org.zm", "org.zw", "pages.dev", "parti.se", "pb.ao", "pe.kr",
    "per.kh", "per.sg", "perso.sn", "perso.tn", "plc.ly", "plc.uk", "plo.ps", "pol.dz", "pol.tr", "police.uk", "ponpes.id",
    "powiat.pl", "poznan.pl", "pp.az", "pp.ru", "pp.se", "prd.fr", "prd.mg", "press.cy", "press.ma", "press.se",
    "presse.ci", "pri.ee", "priv.hu", "priv.pl", "pro.az", "pro.br", "pro.cy", "pro.ec", "pro.fj", "pro.om", "pro.pr",
    "pro.tt", "pro.vn", "prof.pr", "psi.br", "pub.sa", "publ.pt", "pvt.ge", "re.kr", "rec.br", "rec.ro", "red.sv",
    "redirectme.net", "rel.pl", "repl.co", "res.in", "riik.ee", "ru.com", "run.app", "sa.com", "sa.cr", "sc.ke", "sc.kr",
    "sc.ls", "sc.tz", "sc.ug", "sch.ae", "sch.id", "sch.ir", "sch.jo", "sch.lk", "sch.ly", "sch.ng", "sch.qa", "sch.sa",
    "sch.uk", "sch.zm", "school.ge", "school.nz", "school.za", "sci.eg", "se.net", "sec.ps", "selfip.com", "senasa.ar",
    "seoul.kr", "servebeer.com", "serveftp.com", "servegame.com", "servehttp.com", "serveo.net", "sex.hu", "sex.pl",
    "shop.hu", "shop.pl", "sklep.pl", "sld.do", "sld.pa", "soc.dz", "soc.lk", "sos.pl", "spb.ru", "sport.hu", "srv.br",
    "stat.no", "store.bb", "store.ro", "strangled.net", "surge.sh", "synology.me", "sytes.net", "szkola.pl", "targi.pl",
    "tec.br", "tel.tr", "tm.cy", "tm.dz", "tm.fr", "tm.hu", "tm.mg", "tm.pl", "tm.ro", "tm.se", "tm.za", "tourism.pl",
    "tourism.tn", "tozsde.hu", "trafficmanager.net", "travel.pl", "trycloudflare.com", "tsk.tr", "tumblr.com", "tur.ar",
    "tur.br", "turystyka.pl", "tv.bb", "tv.bo", "tv.br", "tv.eg", "tv.sd", "tv.tr", "tv.tz", "uk.com", "uk.net", "univ.sn",
    "us.com", "us.ug", "vercel.app", "vet.br", "vgs.no", "warszawa.pl", "waw.pl", "web.app", "web.do", "web.id", "web.lk",
    "web.ni", "web.pk", "web.tr", "web.ve", "web.za", "weebly.com", "wiki.br", "wixsite.com", "wordpress.com",
    "workers.dev", "wroclaw.pl", "www.ro", "za.com", "zapto.org", "zlg.br",
};

constexpr std::string_view kOfThreeLabels[] = {
    "compute.amazonaws.com", "core.windows.net", "elb.amazonaws.com", "k12.ca.us", "k12.fl.us", "k12.il.us", "k12.ma.us",
    "k12.ny.us", "k12.oh.us", "k12.pa.us", "k12.tx.us", "k12.va.us", "k12.wa.us", "s3.amazonaws.com", "state.ca.us",
    "state.ny.us", "state.tx.us",
};
// clang-format on
static_assert(std::ranges::is_sorted(kOfTwoLabels) && std::ranges::is_sorted(kOfThreeLabels));

}  // namespace

std::string_view registered_domain(const Name& name) {
  if (name.labels < 2) return {};
  std::size_t suffix = 1;
  if (std::ranges::binary_search(kOfTwoLabels, name.text.substr(name.starts[1]))) suffix = 2;
  if (name.labels > 2 && std::ranges::binary_search(kOfThreeLabels, name.text.substr(name.starts[2]))) suffix = 3;
  if (name.labels <= suffix) return {};
  return name.text.substr(name.starts[suffix]);
}

std::string_view registered_domain(std::string_view text) {
  Name name;
  name.text = text;
  for (std::size_t end = text.size(); name.labels < kLastLabels; ++name.labels) {
    const std::size_t dot = end == 0 ? std::string_view::npos : text.rfind('.', end - 1);
    name.starts[name.labels] = static_cast<std::uint16_t>(dot == std::string_view::npos ? 0 : dot + 1);
    if (dot == std::string_view::npos) {
      ++name.labels;
      break;
    }
    end = dot;
  }
  return registered_domain(name);
}

}  // namespace weir::proto::dns
