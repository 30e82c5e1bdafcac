Feature: The controller's clock is wrong
  Calendar clocks are put forward and back, begin in 1970 and are corrected, and counters
  of milliseconds overflow. Windows and retries pass as the time of the world does.

  Source: EV guide, session management (closing in time)

  @must @R-RTY-08
  Rule: Windows end when they should, whatever the calendar says

    @S-O05
    Scenario Outline: The clock is put <way> by <time> before the driver plugs in
      Given the driver has been authorised
      And the controller's clock has been put <way> by <time>
      When the controller dies and starts again
      Then the driver's session is released within 310 seconds

      Examples:
        | way     | time    | why              |
        | forward | 1 hour  | summer time      |
        | back    | 1 hour  | winter time      |
        | forward | 30 days | a wrong setting  |
        | back    | 30 days | it is corrected  |

    @S-O05
    Scenario Outline: The clock is put <way> by 1 hour during the charge
      Given the driver is charging at connector 1
      And the controller's clock has been put <way> by 1 hour
      And the controller has died and started again
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And a receipt for the driver is offered

      Examples:
        | way     |
        | forward |
        | back    |

    @S-O05
    Scenario Outline: The calendar is put <way> by 60 minutes that would cost money
      Given charging costs EUR 0.10 per minute
      And the driver is charging at connector 1
      And the controller's clock has been put <way> by 1 hour
      And the controller has died and started again
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

      Examples:
        | way     |
        | forward |
        | back    |

    # How long it was away, a controller knows from its clock alone: half a minute late
    # is what one part in ten makes of the window.
    @S-O05
    Scenario Outline: The clock runs too <way>
      Given the driver has been authorised
      And the controller's clock runs too <way> by one part in ten
      And 285 seconds have passed
      When the controller dies and starts again
      Then the driver's session is released within <limit>

      Examples:
        | way  | limit      |
        | fast | 15 seconds |
        | slow | 50 seconds |

    @S-O05
    Scenario: The counter of milliseconds overflows while a window runs
      Given the controller's clock counts past 32 bits 1 minute after a start
      And the controller has died and started again
      And the driver has been authorised
      When 2 minutes pass
      Then the driver's session is released within 190 seconds

    @S-O05
    Scenario: The counter of milliseconds overflows during the charge
      Given charging costs EUR 0.10 per minute
      And the controller's clock counts past 32 bits 1 minute after a start
      And the controller has died and started again
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

  @must @R-RTY-08 @R-RTY-03
  Rule: A close that is owed is retried in its time, whatever the calendar says

    @S-O05
    Scenario Outline: The clock is put <way> by 1 hour while a close is retried
      Given the driver is charging at connector 1
      And the terminal refuses the next three closes
      And the driver has unplugged at connector 1
      And 90 seconds have passed
      And the controller's clock has been put <way> by 1 hour
      When the controller dies and starts again
      Then the driver's session is committed within 4 minutes

      Examples:
        | way     |
        | forward |
        | back    |

    @S-O06
    Scenario: The clock begins in 1970 while a session waits for a vehicle
      Given the driver has been authorised
      And the controller's clock begins in 1970 at its next start
      When the controller dies and starts again
      Then the driver's session is released within 310 seconds

    @S-O06
    Scenario: The clock begins in 1970 while a close is retried
      Given the driver is charging at connector 1
      And the terminal refuses the next two closes
      And the controller's clock begins in 1970 at its next start
      And the controller dies for 10 seconds before its second commit
      When the driver unplugs at connector 1
      Then the driver's session is committed within 5 minutes

    @S-O06
    Scenario: The clock is right again after a charge that began in 1970
      Given the controller's clock begins in 1970 at its next start
      And the controller has died and started again
      And the driver is charging at connector 1
      And the controller's clock is right again at its next start
      And the controller has died and started again
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
