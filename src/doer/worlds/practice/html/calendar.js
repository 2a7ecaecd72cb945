// Dates and months for the practice pages. A date is a string "2024-03-05"; months go from 1 to 12.
"use strict";

const MONTHS = [
  "January", "February", "March", "April", "May", "June",
  "July", "August", "September", "October", "November", "December",
];

const WEEKDAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

const digits = (number) => String(number).padStart(2, "0");
const dateOf = (year, month, day) => `${year}-${digits(month)}-${digits(day)}`;
const partsOf = (date) => date.split("-").map(Number);
const daysIn = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate();
const caption = (year, month) => `${MONTHS[month - 1]} ${year}`;

// So many months later, or earlier: [year, month].
const moved = ([year, month], months) => {
  const count = year * 12 + month - 1 + months;
  return [Math.floor(count / 12), (count % 12) + 1];
};

const anyDate = (draw, first = 2019, last = 2031) => {
  const [year, month] = [draw.int(first, last), draw.int(1, 12)];
  return dateOf(year, month, draw.int(1, daysIn(year, month)));
};

// A month so near to a date that a calendar gets there by few turns: [year, month].
const monthNear = (draw, date, months) => moved(partsOf(date), draw.int(-months, months));

// How an instruction may write a date, with the month in letters.
const inWords = (draw, date) => {
  const [year, month, day] = partsOf(date);
  const name = MONTHS[month - 1];
  return draw.pick([`${name} ${day}, ${year}`, `${day} ${name} ${year}`]);
};

// One of the two ways to write dates that a date field takes, as a function of a date.
const inDigits = (draw) =>
  draw.pick([(date) => date, (date) => date.replace(/(.*)-(.*)-(.*)/, "$2/$3/$1")]);

// A table of the days of a month, Mondays first. `dayButton(date, day)` makes what stands in a cell.
const monthTable = (year, month, dayButton) => {
  const before = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  const cells = Array.from({ length: before }, () => h("td"));
  for (let day = 1; day <= daysIn(year, month); day++) {
    cells.push(h("td", {}, dayButton(dateOf(year, month, day), day)));
  }
  const rows = [h("tr", {}, ...WEEKDAYS.map((day) => h("th", { scope: "col" }, day)))];
  while (cells.length) rows.push(h("tr", {}, ...cells.splice(0, 7)));
  return h("table", { class: "days", "aria-label": caption(year, month) }, ...rows);
};
