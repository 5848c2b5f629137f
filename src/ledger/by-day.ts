/**
 * Spreads postings over the days of a zone, in SQL, to be shown: a charge counts evenly in each hour that it has begun, and an
 * hour belongs to the day in which it begins. Every row is spread for itself, so that whatever is added up agrees.
 *
 * Takes  condition: which postings. The parameter `zone` of the query names the zone.
 * Gives  a table expression of postings with `day` and `units`, their amount in 10^-18 on that day.
 * Holds  the days of a row add up to its amount; left-over units go one each to the earliest hours; a day has as many hours
 *        as its zone gives it.
 * From   DESIGN, arithmetic 9
 */
export function postingsByDay(condition: string): string {
  return `(
    SELECT *, sign(amount) * (${upTo('hours_until')} - ${upTo('hours_before')}) AS units, first_day + place AS day FROM (
      SELECT *, if(place = 0, 0, ${hoursBefore('place')}) AS hours_before, if(place = days - 1, hours, ${hoursBefore('place + 1')}) AS hours_until,
        intDiv(whole, hours) AS each, whole % hours AS left_over
      FROM (
        SELECT *, arrayJoin(range(toUInt32(days))) AS place FROM (
          SELECT *, greatest(1, intDiv(toInt64(charge_end) - toInt64(charge_start) + 3599, 3600)) AS hours,
            toDate(charge_start, {zone:String}) AS first_day,
            toInt32(toDate(charge_start + toIntervalSecond((hours - 1) * 3600), {zone:String})) - toInt32(first_day) + 1 AS days,
            abs(toInt256(toDecimal256(amount, 18) * toDecimal256('1000000000000000000', 0))) AS whole
          FROM postings WHERE ${condition}
        )
      )
    )
  )`;
}

/** How many hours of a charge have begun before a day of it begins. */
function hoursBefore(place: string): string {
  const midnight = `toInt64(toDateTime(first_day + toIntervalDay(${place}), {zone:String}))`;
  return `least(hours, greatest(0, intDiv(${midnight} - toInt64(charge_start) + 3599, 3600)))`;
}

/** What the first hours of a charge come to. */
function upTo(hours: string): string {
  return `(each * ${hours} + least(toInt256(${hours}), left_over))`;
}
