Feature: The charge never starts
  An authorised card holds the driver's money. When no charge follows, the money goes
  back at once, whoever or whatever was the reason.

  Source: PSP guide, session management; EV guide, error scenarios and checklist

  @must @R-NOS-01 @R-NOS-02 @R-NOS-07
  Rule: A driver who never plugs in gets the money back when the window ends

    @S-B01
    Scenario: The driver walks away without plugging in
      Given the driver has been authorised
      When 5 minutes pass
      Then the driver's session is released within 10 seconds
      And the driver is told released

    @S-B06 @R-EXT-12
    Scenario: The charger accepts the start, and nothing happens
      Given the contactor of connector 1 never closes
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then the driver's session is released within 310 seconds

    @S-B07 @R-STP-10
    Scenario: The vehicle is plugged in and never draws
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When 5 minutes pass
      Then the driver's session is released within 10 seconds

  @must @R-NOS-02 @R-SES-09 @R-NOS-05
  Rule: The window ends once, for a start or for a release

    @S-B02
    Scenario: The driver plugs in just before the window ends
      Given the driver has been authorised
      And 293 seconds have passed
      When the driver plugs in at connector 1
      Then energy flows at connector 1 within 30 seconds
      And the driver's session stays open

    @S-B03
    Scenario: The driver plugs in just after the window has ended
      Given the driver has been authorised
      And 305 seconds have passed
      When the driver plugs in at connector 1
      Then no energy flows at connector 1
      And the driver's session is released within 60 seconds

  @must @R-NOS-11 @R-SES-03
  Rule: The charger's own time-out is a start that never came

    @S-B04
    Scenario: The charger gives up after 30 seconds
      Given the controller claims to start at its own screen
      And the driver has been authorised for connector 1
      And the charger gives up waiting for a vehicle at connector 1 after 30 seconds
      When 30 seconds pass
      Then the driver's session is released within 10 seconds

    @S-B14 @R-SES-09
    Scenario: A plug that is not seated makes the pilot flap
      Given the driver has been authorised
      When the driver half inserts the plug at connector 1
      Then the driver's session is released within 310 seconds
      And one session has been opened

  @must @R-NOS-04 @R-EXT-12 @R-EXT-08
  Rule: A start that the charger refuses releases the money at once

    @S-B05 @sample
    Scenario: The charger rejects the start
      Given the charger refuses to start connector 1
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then the driver's session is released within 10 seconds
      And the driver is told released

    @S-B10
    Scenario: The back office rejects the driver after the approval
      Given the charger refuses to start connector 1 because of Invalid token
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then the driver's session is released within 10 seconds
      And the driver is told released

    @S-B08 @R-SES-11
    Scenario: The charger fails while the issuer decides
      Given the site has one connector
      And the issuer answers after 20 seconds
      And the driver has plugged in at connector 1
      And the driver has tapped
      And 3 seconds have passed
      When connector 1 reports GroundFailure
      Then the driver's session is released within 30 seconds

    @S-B09 @R-FLT-08
    Scenario: The cable lock fails
      Given the cable lock of connector 1 is stuck
      And the driver has plugged in at connector 1
      When the driver taps and is authorised
      Then the driver's session is released within 30 seconds

  @should @R-NOS-10 @R-FLT-02
  Rule: Where no charge is possible, no card is authorised

    @S-B12
    Scenario: The charger is offline
      Given the charger is offline
      When the driver taps
      Then no authorisation is attempted

    @S-B12
    Scenario: The only connector is out of service
      Given the site has one connector
      And connector 1 has been taken out of service
      When the driver taps
      Then no authorisation is attempted

    @S-B12
    Scenario: The only connector has a fault
      Given the site has one connector
      And connector 1 has reported GroundFailure
      When the driver taps
      Then no authorisation is attempted
      And the driver is told unavailable

    @S-B15 @R-STP-07
    Scenario: Every connector is occupied
      Given the site has one connector
      And the driver is charging at connector 1
      When the second driver taps
      Then the driver is told unavailable
      And one authorisation has been attempted
      And energy still flows at connector 1

  @must @R-NOS-12
  Rule: A second try leaves no first hold behind

    @S-B13
    Scenario: The driver taps again after a failed start
      Given the charger refuses to start connector 1
      And the driver has plugged in at connector 1
      And the driver has been authorised
      And 10 seconds have passed
      When the driver taps and is authorised
      Then the driver's first session is released within 10 seconds
      And never more than one session is open at once

    @S-B13
    Scenario: The driver taps again instead of plugging in
      Given the controller claims to refuse a card twice
      And the driver has been authorised
      And 10 seconds have passed
      When the driver taps
      Then never more than one session is open at once
