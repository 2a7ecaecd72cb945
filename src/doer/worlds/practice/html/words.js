// Names and things to draw from, and ways to say them.
"use strict";

const FIRST_NAMES = (
  "Ada Aisha Alma Anton Arjun Bela Bruno Carla Cem Chiara Clara Dario Dina Edgar Elif Emma Enzo Erik " +
  "Fatima Felix Finn Freya Greta Hana Hugo Ida Igor Ines Ivan Jana Jonas Kai Karim Kira Lara Leo Lena " +
  "Luis Malik Mara Marco Mila Nadia Nils Noah Nora Olga Omar Oskar Paula Pedro Petra Quinn Rafa Rita " +
  "Ruth Samir Sara Selma Sofia Sven Tara Theo Tilda Umar Vera Viktor Wanda Xenia Yara Yusuf Zoe"
).split(" ");

const LAST_NAMES = (
  "Abbott Acosta Ahmed Baker Bauer Berg Bianchi Castro Chen Costa Cruz Dahl Diaz Dubois Duarte Eklund " +
  "Evans Falk Fischer Flores Garcia Grant Haas Hansen Ito Ivanov Jansen Kaya Keller Khan Kim Kowalski " +
  "Larsen Lopez Lund Marin Meyer Moreau Mori Nguyen Novak Nunez Okafor Olsen Ortiz Park Patel Pereira " +
  "Popov Reyes Ricci Roth Sato Schmidt Silva Singh Sousa Tanaka Torres Vargas Vogel Wagner Weber Yilmaz"
).split(" ");

const CITIES = (
  "Aarhus Ankara Athens Bergen Berlin Bilbao Bogota Boston Cairo Chicago Cork Dakar Delhi Denver Dublin " +
  "Geneva Ghent Graz Hanoi Helsinki Jakarta Kyoto Lagos Lima Lisbon London Lyon Madrid Malaga Manila " +
  "Milan Montreal Nairobi Naples Osaka Oslo Paris Porto Prague Quito Riga Rome Santiago Seoul Sofia " +
  "Sydney Tallinn Toronto Turin Vienna Vilnius Warsaw Zagreb Zurich"
).split(" ").filter((city) => !FIRST_NAMES.includes(city));

const COUNTRIES = (
  "Argentina Austria Belgium Brazil Canada Chile Croatia Denmark Egypt Estonia Finland France Germany " +
  "Greece Hungary India Ireland Italy Japan Kenya Latvia Mexico Morocco Norway Peru Poland Portugal " +
  "Romania Spain Sweden Turkey Vietnam"
).split(" ");

const COLORS = (
  "Beige Black Blue Bronze Cream Green Grey Indigo Olive Orange Pink Purple Red Silver White Yellow"
).split(" ");

const GOODS = (
  "backpack basket blanket bottle bowl candle carpet chair clock cushion desk fan frame hammer jacket " +
  "kettle ladder lamp mirror mug notebook pan pillow plate rug scarf shelf spoon stool teapot towel " +
  "tray umbrella vase wallet"
).split(" ");

const WORDS = (
  "alder anchor apple arrow autumn barley beacon birch bridge canyon cedar circle clover comet copper " +
  "coral crystal delta dragon eagle ember falcon feather fern forest garden glacier granite harbor hazel " +
  "island ivory jasmine juniper kernel lagoon lantern laurel lemon lotus maple marble meadow mint mosaic " +
  "needle nectar oasis onyx opal orchid pearl pepper pine planet quartz raven river robin saffron sage " +
  "shadow silk spruce stone summit thunder tiger timber tulip valley velvet violet walnut willow winter zephyr"
).split(" ");

const TEAMS = (
  "Accounting Analytics Archive Design Editorial Events Facilities Finance Hardware Legal Logistics " +
  "Marketing Operations Planning Procurement Quality Research Sales Security Support Training Travel"
).split(" ");

const title = (word) => word[0].toUpperCase() + word.slice(1);
const anyPerson = (draw) => `${draw.pick(FIRST_NAMES)} ${draw.pick(LAST_NAMES)}`;
const anyApp = (draw) =>
  `${title(draw.pick(WORDS))} ${draw.pick(["Works", "Hub", "Desk", "Point", "Line", "Studio"])}`;
const anyEmail = (draw) =>
  `${draw.pick(FIRST_NAMES).toLowerCase()}@${draw.pick(WORDS)}.${draw.pick(["org", "com", "net"])}`;
const anyGood = (draw) => `${draw.pick(COLORS)} ${draw.pick(GOODS)}`;
const anyPhrase = (draw, count) => title(draw.some(WORDS, count).join(" "));

// So many different results of `any`.
const several = (draw, any, count) => {
  const found = new Set();
  while (found.size < count) found.add(any(draw));
  return [...found];
};

const quote = (text) => `"${text}"`;

// "a", "b" and "c"
const listing = (texts, and = "and") => {
  const [last, ...others] = texts.map(quote).reverse();
  return others.length ? `${others.reverse().join(", ")} ${and} ${last}` : last;
};

// Fields and what goes into them, [[label, value], ...], in one of four manners of speaking.
const settings = (draw, pairs) => {
  const say = draw.pick([
    ([label, value]) => `${label} "${value}"`,
    ([label, value]) => `"${value}" as ${label}`,
    ([label, value]) => `${label}: "${value}"`,
    ([label, value]) => `${label} = "${value}"`,
  ]);
  return pairs.map(([label, value]) => say([label.toLowerCase(), value])).join(", ");
};
