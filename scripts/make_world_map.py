#!/usr/bin/env python3
"""Makes src/report/world_map.txt, the outlines that the report's map is drawn from.

usage: scripts/make_world_map.py COUNTRIES_110M_JSON CODES_JSON >src/report/world_map.txt

COUNTRIES_110M_JSON is countries-110m.json of the npm package world-atlas 2.0.2: Natural Earth 4.1 at 1:110 million, in the public domain.
CODES_JSON is codes.json of the npm package i18n-iso-countries: numbers of ISO 3166-1 and their letters.
The projection is Equal Earth (Savric, Patterson & Jenny 2019): areas compare rightly. Coordinates are whole numbers, 0 to 1000 across.
"""
import json
import math
import sys

WIDTH = 1000
# Too small for the outlines: a dot each. Latitude and longitude of the capital, as in any atlas.
DOTS = {
    "AD": ("Andorra", 42.5, 1.5), "AG": ("Antigua and Barbuda", 17.1, -61.8), "AS": ("American Samoa", -14.3, -170.7), "AW": ("Aruba", 12.5, -70.0),
    "BB": ("Barbados", 13.1, -59.6), "BH": ("Bahrain", 26.2, 50.6), "BM": ("Bermuda", 32.3, -64.8), "CV": ("Cape Verde", 14.9, -23.5),
    "CW": ("Curacao", 12.1, -68.9), "DM": ("Dominica", 15.3, -61.4), "FM": ("Micronesia", 6.9, 158.2), "FO": ("Faroe Islands", 62.0, -6.8),
    "GD": ("Grenada", 12.1, -61.7), "GF": ("French Guiana", 4.9, -52.3), "GG": ("Guernsey", 49.5, -2.5), "GI": ("Gibraltar", 36.1, -5.4),
    "GP": ("Guadeloupe", 16.2, -61.5), "GU": ("Guam", 13.5, 144.8), "HK": ("Hong Kong", 22.3, 114.2), "IM": ("Isle of Man", 54.2, -4.5),
    "JE": ("Jersey", 49.2, -2.1), "KI": ("Kiribati", 1.3, 173.0), "KM": ("Comoros", -11.7, 43.3), "KN": ("Saint Kitts and Nevis", 17.3, -62.7),
    "KY": ("Cayman Islands", 19.3, -81.4), "LC": ("Saint Lucia", 14.0, -61.0), "LI": ("Liechtenstein", 47.1, 9.5), "MC": ("Monaco", 43.7, 7.4),
    "MH": ("Marshall Islands", 7.1, 171.4), "MO": ("Macao", 22.2, 113.5), "MQ": ("Martinique", 14.6, -61.1), "MT": ("Malta", 35.9, 14.5),
    "MU": ("Mauritius", -20.2, 57.5), "MV": ("Maldives", 4.2, 73.5), "NR": ("Nauru", -0.5, 166.9), "PF": ("French Polynesia", -17.5, -149.6),
    "PW": ("Palau", 7.5, 134.6), "RE": ("Reunion", -20.9, 55.5), "SC": ("Seychelles", -4.6, 55.5), "SG": ("Singapore", 1.3, 103.8),
    "SM": ("San Marino", 43.9, 12.4), "ST": ("Sao Tome and Principe", 0.3, 6.7), "TC": ("Turks and Caicos Islands", 21.5, -71.1),
    "TO": ("Tonga", -21.1, -175.2), "TV": ("Tuvalu", -8.5, 179.2), "VA": ("Vatican City", 41.9, 12.5), "VC": ("Saint Vincent and the Grenadines", 13.2, -61.2),
    "VG": ("British Virgin Islands", 18.4, -64.6), "VI": ("United States Virgin Islands", 18.3, -64.9), "WS": ("Samoa", -13.8, -171.8), "YT": ("Mayotte", -12.8, 45.2),
}
# Natural Earth shortens some names, and gives areas that ISO 3166 does not know no number.
NAMES = {"BA": "Bosnia and Herzegovina", "CD": "Democratic Republic of the Congo", "CF": "Central African Republic", "CG": "Republic of the Congo", "DO": "Dominican Republic",
         "EH": "Western Sahara", "FK": "Falkland Islands", "GQ": "Equatorial Guinea", "MK": "North Macedonia", "SB": "Solomon Islands", "SS": "South Sudan",
         "SZ": "Eswatini", "TF": "French Southern Lands", "US": "United States"}
WITHOUT_NUMBER = {"Kosovo": "XK", "N. Cyprus": "-", "Somaliland": "-"}


def equal_earth(longitude, latitude):
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    lam, phi = math.radians(longitude), math.radians(latitude)
    t = math.asin(math.sqrt(3) / 2 * math.sin(phi))
    t2, t6 = t * t, t ** 6
    x = 2 * math.sqrt(3) * lam * math.cos(t) / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
    y = t * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1)
    return x, y


EDGE = equal_earth(180, 0)[0]
TOP = equal_earth(0, 83.7)[1]


def place(longitude, latitude):
    x, y = equal_earth(longitude, latitude)
    return round((x + EDGE) / (2 * EDGE) * WIDTH), round((TOP - y) / (2 * EDGE) * WIDTH)


def main():
    atlas = json.load(open(sys.argv[1]))
    letters = {row[2]: row[0] for row in json.load(open(sys.argv[2]))}
    (scale_x, scale_y), (from_x, from_y) = atlas["transform"]["scale"], atlas["transform"]["translate"]
    arcs = []
    for arc in atlas["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale_x + from_x, y * scale_y + from_y))
        arcs.append(points)

    def clip(points, edge, side):
        """What lies on one side of a meridian (Sutherland & Hodgman 1974)."""
        kept = []
        for before, here in zip(points[-1:] + points[:-1], points):
            if (before[0] - edge) * side < 0 < (here[0] - edge) * side or (before[0] - edge) * side > 0 > (here[0] - edge) * side:
                share = (edge - before[0]) / (here[0] - before[0])
                kept.append((edge, before[1] + share * (here[1] - before[1])))
            if (here[0] - edge) * side >= 0:
                kept.append(here)
        return kept

    def outline(ring):
        points = []
        for arc in ring:
            line = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
            points += line[1:] if points else line
        # Rings that go on behind the edge of the map come back on its other side.
        turn = 0
        unrolled = [points[0]]
        for before, here in zip(points, points[1:]):
            turn += 360 if here[0] - before[0] < -180 else -360 if here[0] - before[0] > 180 else 0
            unrolled.append((here[0] + turn, here[1]))
        path = drawn(clip(clip(unrolled, 180, -1), -180, 1))
        for edge, side in ((180, 1), (-180, -1)):
            beyond = clip(unrolled, edge, side)
            if any((x - edge) * side > 0 for x, _ in beyond):
                path += drawn([(x - 360 * side, y) for x, y in beyond])
        return path

    def drawn(points):
        if points and points[0] != points[-1]:
            points = points + points[:1]
        placed = []
        for point in points:
            here = place(*point)
            if not placed or placed[-1] != here:
                placed.append(here)
        if len(placed) < 4:
            return ""
        path = f"M{placed[0][0]} {placed[0][1]}l"
        steps = [f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in zip(placed, placed[1:-1])]
        return path + " ".join(steps).replace(" -", "-") + "z"

    rows = []
    for country in atlas["objects"]["countries"]["geometries"]:
        name = country["properties"]["name"]
        code = letters[country["id"]] if "id" in country else WITHOUT_NUMBER[name]
        if code == "AQ":
            continue
        polygons = [country["arcs"]] if country["type"] == "Polygon" else country["arcs"]
        path = "".join(outline(ring) for polygon in polygons for ring in polygon)
        rows.append((code, NAMES.get(code, {"N. Cyprus": "Northern Cyprus"}.get(name, name)), path))
    for code, (name, latitude, longitude) in DOTS.items():
        if any(row[0] == code for row in rows):
            raise SystemExit(f"{code} has an outline already")
        x, y = place(longitude, latitude)
        rows.append((code, name, f"{x} {y}"))
    print("# Outlines of countries: ISO 3166-1 letters (- has none), name, path of SVG or a dot's place, by tabs. Made by scripts/make_world_map.py from Natural Earth")
    print("# 4.1 at 1:110 million (public domain; npm package world-atlas 2.0.2), projection Equal Earth, 1000 units across.")
    for row in sorted(rows):
        print("\t".join(row))


main()
