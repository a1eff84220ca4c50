"""Which countries are where: ISO 3166-1 alpha-2 (249 codes) under the regions of UN M49, as of 2024.

* M49 puts every country under one region, and two nowhere: Antarctica (AQ), which here too is in the world
  alone, and Taiwan (TW), which here is in Eastern Asia, as in Unicode's CLDR.
* A country's own M49 number (392 for Japan) is not here: one country, one spelling.
* EU is not here: ISO 3166 reserves it and its members change, so one entry would mean two things over time.
* XK (Kosovo) is not here: ISO 3166 leaves it to each user, so two readers could differ.
"""

COUNTRIES = {
    "015": "DZ EG EH LY MA SD TN",  # Northern Africa
    "011": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",  # Western Africa
    "014": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",  # Eastern Africa
    "017": "AO CD CF CG CM GA GQ ST TD",  # Middle Africa
    "018": "BW LS NA SZ ZA",  # Southern Africa
    "021": "BM CA GL PM US",  # Northern America
    "029": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",  # Caribbean
    "013": "BZ CR GT HN MX NI PA SV",  # Central America
    "005": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",  # South America
    "143": "KG KZ TJ TM UZ",  # Central Asia
    "030": "CN HK JP KP KR MN MO TW",  # Eastern Asia
    "035": "BN ID KH LA MM MY PH SG TH TL VN",  # South-eastern Asia
    "034": "AF BD BT IN IR LK MV NP PK",  # Southern Asia
    "145": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE",  # Western Asia
    "151": "BG BY CZ HU MD PL RO RU SK UA",  # Eastern Europe
    "154": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",  # Northern Europe
    "039": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA",  # Southern Europe
    "155": "AT BE CH DE FR LI LU MC NL",  # Western Europe
    "053": "AU CC CX HM NF NZ",  # Australia and New Zealand
    "054": "FJ NC PG SB VU",  # Melanesia
    "057": "FM GU KI MH MP NR PW UM",  # Micronesia
    "061": "AS CK NU PF PN TK TO TV WF WS",  # Polynesia
}
"""The countries of each region that is not divided further, parted by spaces."""

NOWHERE = "AQ"
"""What is in the world and in no region of it."""

GROUPS = {
    "002": "015 202",  # Africa
    "202": "011 014 017 018",  # Sub-Saharan Africa
    "019": "021 419",  # Americas
    "419": "005 013 029",  # Latin America and the Caribbean
    "003": "013 021 029",  # North America: America without the south
    "142": "030 034 035 143 145",  # Asia
    "150": "039 151 154 155",  # Europe
    "009": "053 054 057 061",  # Oceania
}
"""The regions of each region that is divided further."""

WORLD = "001"
