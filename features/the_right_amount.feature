Feature: The right amount
  The driver pays what the meter and the tariff say, never more than was reserved.

  Source: EV guide, setting the authorisation amount; PSP guide, Commit and Update Session

  @should @R-AMT-05
  Rule: No cost means no commit

    @S-N01
    Scenario: The tariff asks for nothing
      Given energy costs EUR 0.00 per kWh
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is released within 10 seconds

    @S-N01 @R-FLT-03
    Scenario: A charge that never began costs neither the fixed part nor the minimum
      Given every session costs EUR 0.35
      And the least that is charged is EUR 3.00
      And the driver has been authorised
      When 5 minutes pass
      Then the driver's session is released within 10 seconds

    @S-N02 @R-AMT-11 @sample
    Scenario: A short charge costs the declared minimum
      Given the least that is charged is EUR 3.00
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed for EUR 3.00

  @must @R-AMT-02 @R-AMT-03 @R-AMT-04
  Rule: The commit stays within what was reserved

    @S-N03
    Scenario: The meter moves in big steps near the bound
      Given the controller reserves EUR 20.00
      And energy costs EUR 9.00 per kWh
      And the driver comes with the van
      When the driver charges at connector 1
      Then energy stops at connector 1 within 1 hour
      And the driver's session is committed for at most EUR 20.00

    @S-N03
    Scenario: Time costs money too, up to the reserved amount
      Given the controller reserves EUR 2.00
      And charging costs EUR 0.30 per minute
      When the driver charges at connector 1
      Then energy stops at connector 1 within 10 minutes
      And the driver's session is committed for at most EUR 2.00

    @S-N04
    Scenario: The final amount is the reserved amount
      Given the controller reserves EUR 10.00
      And the least that is charged is EUR 10.00
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed for EUR 10.00

  @must @R-AMT-06 @R-AMT-07 @apollo
  Rule: A reservation is raised before the cost exceeds it

    @S-N05
    Scenario: The issuer approves the increment
      Given the controller claims to top up the reservation
      And the controller reserves EUR 2.00
      And the driver is charging at connector 1
      And 6 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the reservation has been raised

    @S-N06 @R-EXT-11
    Scenario Outline: The increment is <answer>
      Given the controller claims to top up the reservation
      And the controller reserves EUR 2.00
      And increments are <answer>
      And the driver comes with the van
      When the driver charges at connector 1
      Then energy stops at connector 1 within 1 hour
      And every session is closed within 2 hours

      Examples:
        | answer             |
        | declined           |
        | partially approved |
        | never answered     |

    @S-N07 @R-SES-09
    Scenario: The increment is answered after the commit
      Given the controller claims to top up the reservation
      And the controller reserves EUR 2.00
      And the driver is charging at connector 1
      And increments are answered after 8 seconds
      And the controller has asked for a higher reservation
      When the driver unplugs at connector 1
      Then the driver's session is committed within 30 seconds

  @must @R-AMT-06 @p6x
  Rule: Where a terminal cannot raise a reservation, nobody tries

    @S-N08
    Scenario: Top-up is configured for a P6X
      Given the controller claims to top up the reservation
      And the controller reserves EUR 2.00
      And the driver comes with the van
      When the driver charges at connector 1
      Then energy stops at connector 1 within 1 hour
      And the driver's session is committed for at most EUR 2.00
      And no higher reservation is asked for

  @must @R-AMT-12 @R-EXT-06 @R-AMT-09
  Rule: The total follows the tariff to the minor unit

    @S-N09
    Scenario: Energy, time and a fixed part
      Given charging costs EUR 0.30 per minute
      And every session costs EUR 0.35
      And the driver comes with the van
      And the driver is charging at connector 1
      And 4 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-N10
    Scenario Outline: Amounts in <currency> are whole minor units
      Given the currency is <currency>
      And energy costs EUR 0.37 per kWh
      And the driver comes with the van
      And the driver is charging at connector 1
      And 2.7 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

      Examples:
        | currency |
        | EUR      |
        | JPY      |
        | KWD      |

    @S-N10
    Scenario: Totals that end on half a minor unit
      Given energy costs EUR 5.00 per kWh
      When 12 drivers charge one after another at connector 1
      Then never more than one session is open at once

  @must @R-SES-12 @R-CPS-04 @R-EXT-04 @R-AMT-03
  Rule: The commit is what was delivered, not what was reserved

    @S-N12
    Scenario: Another amount in every run
      Given the driver comes with the van
      And the driver is charging at connector 1
      And between 1 kWh and 8 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
