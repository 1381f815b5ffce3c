"""A second master by pymodbus: writes numbers to a register of a unit and reads them again.

master.py PORT UNIT REGISTER COUNT

Prints how many came back as written, as {"good": N, "bad": N}.
"""

import json
import sys

from pymodbus.client import ModbusTcpClient

port, unit, register, count = (int(each) for each in sys.argv[1:5])
client = ModbusTcpClient("127.0.0.1", port=port)
client.connect()
good = bad = 0
for number in range(1, count + 1):
    written = client.write_register(register, number, slave=unit)
    read = client.read_holding_registers(register, 1, slave=unit)
    if not written.isError() and not read.isError() and read.registers == [number]:
        good += 1
    else:
        bad += 1
client.close()
print(json.dumps({"good": good, "bad": bad}))
