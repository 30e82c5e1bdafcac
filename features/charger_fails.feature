Feature: The charger fails
  A fault before energy releases the money; a fault after it commits what was delivered.

  Source: EV guide, error scenarios and unplug to stop

  @must @R-STP-02 @R-FLT-03
  Rule: A fault during the charge commits what was delivered

    @S-D01
    Scenario: The emergency stop is pressed during the charge
      Given the driver is charging at connector 1
      When the emergency stop is pressed
      Then the driver's session is committed within 10 seconds

    @S-D03 @sample
    Scenario: A ground failure during the charge
      Given the driver is charging at connector 1
      When connector 1 reports GroundFailure
      Then the driver's session is committed within 10 seconds

    @S-D04 @R-SES-09
    Scenario Outline: The charger reports <code> during the charge
      Given the driver is charging at connector 1
      When connector 1 reports <code>
      Then the driver's session is committed within 10 seconds
      And one session has been opened

      Examples:
        | code               |
        | OverCurrentFailure |
        | OverVoltage        |
        | UnderVoltage       |
        | HighTemperature    |

    @S-D13 @R-SES-09
    Scenario: A fault that clears after two seconds
      Given the driver is charging at connector 1
      And connector 1 has reported GroundFailure
      And 2 seconds have passed
      When GroundFailure clears
      Then one session has been opened

  @must @R-FLT-03
  Rule: A fault before any energy releases the money

    @S-D02
    Scenario: The emergency stop is pressed before energy flows
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the emergency stop is pressed
      Then the driver's session is released within 10 seconds

  @must @R-SES-13 @R-FLT-03
  Rule: A charger that cannot be proven to have stopped is an alarm, not a frozen hold

    @S-D05
    Scenario: The contactor is welded
      Given the driver is charging at connector 1
      And the contactor of connector 1 is welded
      When the driver unplugs at connector 1
      Then the driver's session is committed within 60 seconds
      And the controller raises the alarm contactor

  @should @R-FLT-04 @R-AMT-09
  Rule: Only a reading that can be trusted is billed

    @S-D06
    Scenario: The meter fails after 3 kWh
      Given the driver is charging at connector 1
      And 3 kWh have been delivered at connector 1
      When connector 1 reports PowerMeterFailure
      Then the driver's session is committed within 10 seconds

    @S-D07
    Scenario: The meter jumps
      Given the driver is charging at connector 1
      And the meter of connector 1 has jumped by 50 kWh
      And 60 seconds have passed
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-D07
    Scenario: The meter falls
      Given the driver is charging at connector 1
      And the meter of connector 1 has fallen by 2 kWh
      And 60 seconds have passed
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-D07
    Scenario: The meter sends no number
      Given the driver is charging at connector 1
      And the meter of connector 1 has ceased to send numbers
      And 60 seconds have passed
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-D07 @R-AMT-02
    Scenario: The meter is never to be trusted, and little is reserved
      Given the controller reserves EUR 0.20
      And the driver comes with the van
      And the meter of connector 1 has become unreliable
      When the driver charges at connector 1
      Then energy stops at connector 1 within 2 minutes
      And every session is closed within 3 minutes

  @should @R-FLT-08
  Rule: A cable that stays locked does not delay the money

    @S-D08
    Scenario: The cable lock does not open at the end
      Given the driver is charging at connector 1
      And the cable lock of connector 1 is stuck
      When the driver taps
      Then the driver's session is committed within 10 seconds

    @S-D03
    Scenario: A ground failure leaves no cable trapped
      Given the driver is charging at connector 1
      When connector 1 reports GroundFailure
      Then the cable of connector 1 is free within 30 seconds

  @must @R-FLT-07 @R-STP-02 @R-PER-02
  Rule: What a restart interrupts is settled or resumed

    @S-D09
    Scenario: The charger restarts during the charge
      Given the driver is charging at connector 1
      When the charger restarts
      Then every session is closed within 60 seconds

    @S-D10
    Scenario: The site has no power for ten minutes
      Given the driver is charging at connector 1
      When the site loses power for 10 minutes
      Then every session is closed within 90 seconds

  @must @R-SES-13 @R-SES-06
  Rule: What does not stop the charge does not close the session

    @S-D11
    Scenario Outline: The charger reports <code>, which stops nothing
      Given the driver is charging at connector 1
      When connector 1 reports <code>
      Then energy still flows at connector 1
      And the driver's session stays open

      Examples:
        | code          |
        | ReaderFailure |
        | WeakSignal    |

    @S-D12
    Scenario: The connector is taken out of service during the charge
      Given the driver is charging at connector 1
      When connector 1 is taken out of service
      Then energy still flows at connector 1
      And the driver's session stays open
