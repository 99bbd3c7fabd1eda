# /// script
# dependencies = ["xlwt==1.3.0"]
# ///
"""Makes small.xls: a header in row 3, dates, a formula without a result, a boolean,
an error value and a number stored as text."""

import datetime

import xlwt

book = xlwt.Workbook()
sheet = book.add_sheet("chain")
date = xlwt.easyxf(num_format_str="YYYY-MM-DD")
for column, name in enumerate(["strike", "expiry", "mid", "is_call", "type"]):
    sheet.write(2, column, name)
for row, (strike, day, mid, call, kind) in enumerate(
    [
        (4450, 29, 41.3, False, "P"),
        ("4475", 30, xlwt.Formula("C4+1"), True, "C"),
        (4500.25, 30, 66.9, True, None),
    ],
    start=3,
):
    sheet.write(row, 0, strike)
    sheet.write(row, 1, datetime.date(2023, 9, day), date)
    sheet.write(row, 2, mid)
    sheet.write(row, 3, call)
    if kind is not None:
        sheet.write(row, 4, kind)
sheet.row(5).set_cell_error(4, 0x2A)  # #N/A
book.save("small.xls")
